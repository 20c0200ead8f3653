/** A real guest with network cards and other devices, which runs commands. */

import { assertEquals } from "@std/assert";
import { endOfCommand, LOOP } from "../../scripts/check_mac/shell_loop.ts";
import { Class, type NSObject } from "../../src/objc/mod.ts";
import { Guest, within } from "./guest.ts";
import { Machine } from "./raw.ts";

/** A card. */
export function card(mac: string, attachment: NSObject): NSObject {
  const made = Class.named("VZVirtioNetworkDeviceConfiguration").create();
  made.send("setMACAddress:", Class.named("VZMACAddress").create("initWithString:", mac));
  made.send("setAttachment:", attachment);
  return made;
}

export class Shell implements AsyncDisposable {
  readonly guest = new Guest(LOOP);
  readonly machine: Machine;
  #read = 0;

  /** @param configure Adds other devices. */
  constructor(cards: NSObject[], configure: (configuration: NSObject) => void = () => {}) {
    const configuration = this.guest.configuration as NSObject;
    configure(configuration);
    configuration.send("setNetworkDevices:", cards);
    this.machine = new Machine(configuration);
  }

  /** Starts the machine; the guest may still boot. */
  async start(): Promise<void> {
    assertEquals(await within("a start", this.machine.start()), []);
  }

  async stop(): Promise<void> {
    assertEquals(await within("a stop", this.machine.complete("stopWithCompletionHandler:")), []);
  }

  /** Boots the guest. */
  async boot(): Promise<void> {
    await this.start();
    await this.readyAgain(1);
  }

  /** Waits until the guest has booted for the n-th time. */
  async readyAgain(times: number): Promise<void> {
    await this.guest.said("ready\r\n", times);
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
    await this.machine[Symbol.asyncDispose]();
    await this.guest[Symbol.asyncDispose]();
  }
}
