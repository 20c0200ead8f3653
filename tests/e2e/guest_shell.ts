/** One booted guest that answers many questions: its console runs commands, and is kept for the tests of a file. */

import { endOfCommand, LOOP } from "../../scripts/check_mac/shell_loop.ts";
import { guest, type How, Vzrun } from "./vzrun.ts";

export { LOOP };

/** A guest that runs commands. */
export class GuestShell implements AsyncDisposable {
  readonly run: Vzrun;
  #read = 0;

  private constructor(run: Vzrun) {
    this.run = run;
  }

  /** Boots one whose machine has been given these options. */
  static async boot(args: string[] = [], how: How = {}): Promise<GuestShell> {
    return await GuestShell.on(new Vzrun([...guest(LOOP), ...args], { ...how, typing: true }));
  }

  /** Takes a guest that is booting into {@linkcode LOOP}. */
  static async on(run: Vzrun): Promise<GuestShell> {
    const shell = new GuestShell(run);
    try {
      await run.out.until("ready\r\n");
    } catch (error) {
      await run[Symbol.asyncDispose]();
      throw error;
    }
    shell.#read = run.out.text.length;
    return shell;
  }

  /** What commands write, and their exit status. */
  async tell(commands: string): Promise<{ status: number; out: string }> {
    await this.run.type(`${commands}\n`);
    const end = endOfCommand(this.#read);
    await this.run.out.until(end);
    const [all, out, status] = end.exec(this.run.out.text)!;
    this.#read = all.length;
    return { status: Number(status), out };
  }

  /** Powers it off, and says how vzrun ended and what it said on stderr. */
  async end(): Promise<{ code: number; err: string }> {
    await this.run.type("poweroff -f\n");
    return { code: await this.run.end(), err: this.run.err.text };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run[Symbol.asyncDispose]();
  }
}

/**
 * A guest for the tests of this file: it boots for the first command, and after all tests it powers off, when vzrun must
 * end well and have said nothing.
 *
 * @param options Called once, before it boots.
 * @returns What runs commands in it: what they write, and their exit status.
 */
export function guestOfThisFile(
  options: () => { args: string[]; how?: How },
): (commands: string) => Promise<{ status: number; out: string }> {
  let booting: Promise<GuestShell> | undefined;
  Deno.test.afterAll(async () => {
    if (!booting) return;
    await using shell = await booting;
    const { code, err } = await shell.end();
    if (code !== 0 || err !== "") throw new Error(`vzrun has ended with ${code} and said: ${err}`);
  });
  return async (commands) => {
    if (!booting) {
      const { args, how } = options();
      booting = GuestShell.boot(args, how);
    }
    return await (await booting).tell(commands);
  };
}
