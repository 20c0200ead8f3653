import { start } from "./src/cli/start.ts";

if (import.meta.main) Deno.exit(await start(Deno.args));
