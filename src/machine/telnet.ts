/** The little of telnet's protocol that a console needs: the client sends each key, and bytes pass as they are. */

const [IAC, SE, SB, WILL, DONT] = [255, 240, 250, 251, 254];
const [BINARY, ECHO, NO_GO_AHEAD] = [0, 1, 3];

/** What a client is told first: WILL ECHO, WILL SUPPRESS GO AHEAD, WILL BINARY, DO BINARY. Sources: RFC 854 to 858. */
export const GREETING = Uint8Array.of(
  IAC,
  WILL,
  ECHO,
  IAC,
  WILL,
  NO_GO_AHEAD,
  IAC,
  WILL,
  BINARY,
  IAC,
  253,
  BINARY,
);

/** A console's output as telnet has it. */
export function toTelnet(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (!bytes.includes(IAC)) return bytes;
  return Uint8Array.from(Array.from(bytes).flatMap((byte) => byte === IAC ? [IAC, IAC] : [byte]));
}

/** Takes a client's commands out of what it sends, wherever that is cut. */
export class TelnetReader {
  #state: "data" | "command" | "option" | "block" | "block command" = "data";

  /** What it has typed. */
  typed(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const typed: number[] = [];
    for (const byte of bytes) this.#take(byte, typed);
    return Uint8Array.from(typed);
  }

  #take(byte: number, typed: number[]): void {
    switch (this.#state) {
      case "data":
        if (byte === IAC) this.#state = "command";
        else typed.push(byte);
        return;
      case "command":
        if (byte === IAC) typed.push(byte);
        this.#state = byte === SB ? "block" : byte >= WILL && byte <= DONT ? "option" : "data";
        return;
      case "option":
        this.#state = "data";
        return;
      case "block":
        if (byte === IAC) this.#state = "block command";
        return;
      case "block command":
        this.#state = byte === SE ? "data" : "block";
    }
  }
}
