import { FileError } from "../host/error.ts";
import { exists, socketPathProblem } from "../host/files.ts";
import { checkOutput } from "../host/output_file.ts";

/** Looks at where a socket is to be. @throws {FileError} When it cannot. */
export function checkSocket(path: string): void {
  const problem = socketPathProblem(path);
  if (problem) throw new FileError(`cannot listen at '${path}': ${problem}`);
  checkOutput(path);
  if (exists(path) && !Deno.statSync(path).isSocket) {
    throw new FileError(`cannot listen at '${path}': it is there and no socket`);
  }
}
