export { UsageError } from "../usage_error.ts";
