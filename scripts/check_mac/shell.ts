/** The console of a guest that runs what is typed. */

import { until } from "./probe.ts";
import { endOfCommand } from "./shell_loop.ts";

/** A guest's console, once the guest is in `LOOP`. */
export class Shell {
  readonly #text: () => string;
  readonly #type: (text: string) => void;
  #read = 0;

  /** @param text All that the console has had. @param type Types something. */
  constructor(text: () => string, type: (text: string) => void) {
    [this.#text, this.#type] = [text, type];
  }

  /** Waits until the guest takes commands. @throws {Error} When it does not. */
  async isReady(): Promise<void> {
    if (!await until(() => this.#text().includes("ready"), 60)) {
      throw new Error(`the guest does not come up, and wrote ${JSON.stringify(this.#text())}`);
    }
    this.#read = this.#text().length;
  }

  /** What commands write, and their exit status. They must come to an end. */
  async tell(commands: string, seconds = 30): Promise<{ status: number; out: string }> {
    this.#type(`${commands}\n`);
    const end = endOfCommand(this.#read);
    let match: RegExpExecArray | null = null;
    if (!await until(() => match = end.exec(this.#text()), seconds)) {
      const rest = JSON.stringify(this.#text().slice(this.#read));
      throw new Error(`the guest did not end '${commands}' in ${seconds} s, and wrote ${rest}`);
    }
    const [all, out, status] = match!;
    this.#read = all.length;
    // A console that still echoes has the commands before what they write.
    return { status: Number(status), out: out.replaceAll("\r", "").replace(`${commands}\n`, "").trim() };
  }
}
