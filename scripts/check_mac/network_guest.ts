/** A guest that src/machine runs, with a card on NAT and one that is frames in TypeScript. */

import { MachineError } from "../../src/machine/error.ts";
import type { Network } from "../../src/machine/network.ts";
import { VirtualMachine } from "../../src/machine/virtual_machine.ts";
import { VZVmnetNetworkDeviceAttachment } from "../../src/vz/mod.ts";
import { freePort } from "../free_ports.ts";
import { ARPAnswers } from "./arp_answers.ts";
import { commandLine, INITRD, KERNEL } from "./machine.ts";
import { Shell } from "./shell.ts";
import { LOOP } from "./shell_loop.ts";

/** Its cards' addresses, as eth0 and eth1. */
export const NAT_MAC = "52:54:00:c4:ec:4b", FRAMES_MAC = "52:54:00:c4:ec:4c";

/** The guest's port to which one of the host's leads. */
export const GUEST_PORT = 5000;

/** Networks to try, 192.168.N.0/24, the same in each run, as leases outlive it: the first may be somebody's. */
export function subnets(first: number): number[] {
  return [0, 1, 2, 3].map((i) => first + i);
}

/** A guest that runs. */
export class NetworkGuest implements AsyncDisposable {
  /** What its first card is to get by DHCP; undefined on a NAT that reserves none. */
  readonly reserved?: string;
  /** Why it has no network of its own, one reason for each that was tried. */
  readonly refused: readonly string[];
  /** The host's port. */
  readonly port: number;
  readonly answers: ARPAnswers;
  /** What the machine has said. */
  readonly said: readonly string[];
  readonly #machine: VirtualMachine;
  readonly #shell: Shell;
  #text = "";

  private constructor(
    machine: VirtualMachine,
    { reserved, refused, port, answers, said }: Pick<
      NetworkGuest,
      "reserved" | "refused" | "port" | "answers" | "said"
    >,
  ) {
    [this.reserved, this.refused, this.port] = [reserved, refused, port];
    [this.answers, this.said, this.#machine] = [answers, said, machine];
    const { readable, writable } = machine.console;
    this.#collect(readable);
    const writer = writable.getWriter();
    this.#shell = new Shell(() => this.#text, (text) => {
      writer.write(new TextEncoder().encode(text)).catch(() => {}); // it has ended: then no answer comes
    });
  }

  async #collect(readable: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const text of readable.pipeThrough(new TextDecoderStream())) this.#text += text;
  }

  /** Boots one, from macOS 26 on with a reserved address if it can be had. @throws {Error} When it does not come up. */
  static async boot(): Promise<NetworkGuest> {
    const { machine, ...rest } = await create();
    try {
      await machine.start();
      const guest = new NetworkGuest(machine, rest);
      await guest.#shell.isReady();
      return guest;
    } catch (error) {
      await machine[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Its sockets that need no network. */
  get vsock(): VirtualMachine["vsock"] {
    return this.#machine.vsock;
  }

  /** What commands write, and their exit status. They must come to an end. */
  tell(commands: string, seconds?: number): Promise<{ status: number; out: string }> {
    return this.#shell.tell(commands, seconds);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#machine[Symbol.asyncDispose]();
  }
}

async function create() {
  const refused: string[] = [];
  const said: string[] = [];
  const port = freePort();
  const say = (message: string) => void said.push(message);
  const attempt = async (own: { subnet: string; guestAddress: string } | undefined) => {
    const answers = new ARPAnswers();
    const network: Network[] = [
      { kind: "nat", mac: NAT_MAC, forward: [{ hostPort: port, guestPort: GUEST_PORT }], ...own },
      { kind: "frames", mac: FRAMES_MAC, frames: answers.frames },
    ];
    const boot = { kind: "linux", kernel: KERNEL, initrd: INITRD, commandLine: commandLine(LOOP) } as const;
    const memory = 256 * 1024 * 1024;
    const machine = await VirtualMachine.create({ boot, memory, processors: 1, network, vsock: {} }, {
      info: say,
      debug: say,
    });
    return { machine, answers, port, refused, said, reserved: own?.guestAddress };
  };
  for (const third of VZVmnetNetworkDeviceAttachment.api.isAvailable ? subnets(220) : []) {
    const prefix = `192.168.${third}`;
    try {
      return await attempt({ subnet: `${prefix}.0/24`, guestAddress: `${prefix}.77` });
    } catch (error) {
      if (!(error instanceof MachineError && error.field?.startsWith("network[0]"))) throw error;
      refused.push(error.message);
    }
  }
  return await attempt(undefined);
}
