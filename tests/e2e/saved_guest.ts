/** Guests of this process that run commands, are saved and go on. */

import { endOfCommand, LOOP } from "../../scripts/check_mac/shell_loop.ts";
import { type Description, type PartialDescription, VirtualMachine } from "vzrun";
import { GUEST, Output, SOONER } from "./vzrun.ts";

/** A small machine. */
export function small(commands = LOOP, rest: Partial<Description> = {}): Description {
  return {
    boot: {
      kind: "linux",
      kernel: `${GUEST}/vmlinuz`,
      initrd: `${GUEST}/initrd`,
      commandLine: `console=hvc0 quiet ${SOONER} run="${commands}"`,
    },
    memory: 128 * 1024 * 1024,
    processors: 1,
    network: [],
    ...rest,
  };
}

/** What a guest does that counts: it writes a number ten times a second, and runs the lines that it reads. */
export const COUNTING = `(i=0; while :; do echo count $((i=i+1)); sleep 0.1; done) & ${LOOP}`;

/** A machine and its console. */
export class SavedGuest implements AsyncDisposable {
  readonly out: Output;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  private constructor(readonly machine: VirtualMachine) {
    this.out = new Output(machine.console.readable);
    this.#input = machine.console.writable.getWriter();
  }

  /** Boots one. */
  static async boot(description: Description): Promise<SavedGuest> {
    const guest = new SavedGuest(await VirtualMachine.create(description));
    await guest.machine.start();
    return guest;
  }

  /** Lets one go on. */
  static async restore(path: string, description: PartialDescription = {}): Promise<SavedGuest> {
    const guest = new SavedGuest(await VirtualMachine.restore(path, description));
    await guest.machine.start();
    return guest;
  }

  /** Pauses it and saves it. */
  async save(path: string): Promise<void> {
    await this.machine.pause();
    await this.machine.save(path);
  }

  /** What commands write, in a guest that writes nothing else. */
  async tell(commands: string): Promise<string> {
    const end = endOfCommand(this.out.text.length);
    await this.#input.write(new TextEncoder().encode(`${commands}\n`));
    await this.out.until(end);
    return end.exec(this.out.text)![1].replaceAll("\r\n", "\n").trim();
  }

  /** The last number that it has counted to. */
  get count(): number {
    return Number(/count (\d+)\r\n[^\n]*$/.exec(this.out.text)?.[1]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine[Symbol.asyncDispose]();
    await this.out.ended;
  }
}
