/** The keys of the console: Ctrl-A begins a command, as it does in qemu. */

/** What Ctrl-A and a letter ask for. */
export type Command = "end" | "help";

const CTRL_A = 0x01;
const COMMANDS: Readonly<Record<string, Command>> = { x: "end", h: "help", "?": "help" };

/** What `Ctrl-A h` shows. */
export const ESCAPE_KEYS_HELP = [
  "Ctrl-A x       end the machine",
  "Ctrl-A h       this list",
  "Ctrl-A Ctrl-A  send Ctrl-A to the guest",
];

/** Splits what is typed into what is for the guest and what is for vzrun. */
export class EscapeKeys {
  #escaped = false;

  /** @param typed Bytes from the terminal; a Ctrl-A at their end waits for the next ones. */
  feed(typed: Uint8Array): { guest: Uint8Array<ArrayBuffer>; commands: Command[] } {
    const guest: number[] = [];
    const commands: Command[] = [];
    for (const byte of typed) {
      if (!this.#escaped) {
        if (byte === CTRL_A) this.#escaped = true;
        else guest.push(byte);
        continue;
      }
      this.#escaped = false;
      if (byte === CTRL_A) guest.push(byte);
      else {
        const command = COMMANDS[String.fromCharCode(byte)];
        if (command) commands.push(command);
      }
    }
    return { guest: Uint8Array.from(guest), commands };
  }
}
