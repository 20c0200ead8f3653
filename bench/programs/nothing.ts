// What Deno itself takes.
