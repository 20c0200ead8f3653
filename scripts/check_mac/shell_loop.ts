/** How a guest runs commands that come by its console. */

/** What stands around the status of a command, since no command of ours writes it. */
const MARK = "\x1e";

/**
 * Runs each line that it reads in a shell of its own; what that writes ends with its status between two marks. A kernel
 * command line cannot have a quotation mark in another: without `IFS` a line stays one word all the same.
 */
export const LOOP = "IFS=; set -f; stty -echo; echo ready; " +
  "while read -r line; do sh -c $line; printf '\\036%d\\036' $?; done";

/** Finds what a command has written, and its status, in all that the console has had. @param read Length before it. */
export function endOfCommand(read: number): RegExp {
  return new RegExp(`^[^]{${read}}([^${MARK}]*)${MARK}(\\d+)${MARK}`);
}
