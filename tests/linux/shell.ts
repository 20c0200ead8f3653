/** A real guest with network cards, which runs commands. */

import { endOfCommand, LOOP } from "../../scripts/check_mac/shell_loop.ts";
import { Class, type NSObject } from "../../src/objc/mod.ts";
import type { VZVirtualMachine } from "../../src/vz/mod.ts";
import { Guest } from "./guest.ts";

/** A card. */
export function card(mac: string, attachment: NSObject): NSObject {
  const made = Class.named("VZVirtioNetworkDeviceConfiguration").create();
  made.send("setMACAddress:", Class.named("VZMACAddress").create("initWithString:", mac));
  made.send("setAttachment:", attachment);
  return made;
}

export class Shell implements AsyncDisposable {
  readonly guest = new Guest(LOOP);
  readonly machine: VZVirtualMachine;
  #read = 0;

  constructor(cards: NSObject[]) {
    (this.guest.configuration as NSObject).send("setNetworkDevices:", cards);
    this.machine = this.guest.machine();
  }

  /** Boots it. */
  async boot(): Promise<void> {
    await this.machine.start();
    await this.guest.said("ready\r\n");
    this.#read = this.guest.output.length;
  }

  /** What commands write. */
  async tell(commands: string): Promise<string> {
    await this.guest.type(`${commands}\n`);
    const end = endOfCommand(this.#read);
    await this.guest.until(commands, () => end.test(this.guest.output));
    const [all, out] = end.exec(this.guest.output)!;
    this.#read = all.length;
    return out.replaceAll("\r\n", "\n").trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (await this.machine.state() === "running") await this.machine.stop();
    await this.guest[Symbol.asyncDispose]();
  }
}
