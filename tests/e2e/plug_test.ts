import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type Description, MachineError, VirtualMachine } from "vzrun";
import { endOfCommand, LOOP } from "../../scripts/check_mac/shell_loop.ts";
import { Folder, Output, ROOT, SOONER, within } from "./vzrun.ts";

const MiB = 2 ** 20;
const GUEST = `${ROOT}/build/guest/graphical`; // whose kernel knows USB

/** A guest whose console runs commands, in a machine of the library's. */
class Guest implements AsyncDisposable {
  readonly #output: Output;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #read = 0;

  private constructor(readonly machine: VirtualMachine) {
    this.#output = new Output(machine.console.readable);
    this.#writer = machine.console.writable.getWriter();
  }

  static async boot(some: Partial<Description> = {}): Promise<Guest> {
    const machine = await VirtualMachine.create({
      boot: {
        kind: "linux",
        kernel: `${GUEST}/vmlinuz`,
        initrd: `${GUEST}/initrd`,
        commandLine: `console=hvc0 quiet usb-storage.delay_use=0 ${SOONER} run="${LOOP}"`,
      },
      memory: 256 * MiB,
      processors: 1,
      network: [],
      ...some,
    });
    const guest = new Guest(machine);
    await machine.start();
    await guest.#output.until("ready\r\n");
    guest.#read = guest.#output.text.length;
    await guest.tell("modprobe sd_mod"); // as udev does for a disk
    return guest;
  }

  /** What commands write. */
  async tell(commands: string): Promise<string> {
    await this.#writer.write(new TextEncoder().encode(`${commands}\n`));
    const end = endOfCommand(this.#read);
    await this.#output.until(end);
    const [all, out] = end.exec(this.#output.text)!;
    this.#read = all.length;
    return out.replaceAll("\r\n", "\n").trim();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine[Symbol.asyncDispose]();
    await this.#output.ended;
  }
}

Deno.test("plug: experiment", async () => {
  using folder = new Folder();
  const bytes = crypto.getRandomValues(new Uint8Array(65536));
  Deno.writeFileSync(folder.file("stick"), bytes);
  await using guest = await Guest.boot({ usb: true });
  const stick = await guest.machine.attach({ file: folder.file("stick") });
  console.error(stick.disk);
  console.error(await guest.tell("until [ -b /dev/sda ]; do usleep 10000; done; sha256sum /dev/sda; free"));
  console.error(await guest.machine.memoryTarget());
  await guest.machine.setMemoryTarget(128 * MiB);
  console.error(await guest.tell("sleep 2; free; grep Mem /proc/meminfo"));
  await guest.machine.setMemoryTarget(256 * MiB);
  console.error(await guest.tell("sleep 2; free; grep Mem /proc/meminfo"));
  console.error(await assertRejects(() => guest.machine.attach({ file: folder.file("stick") })));
  console.error(
    await assertRejects(() => guest.machine.attach({ file: folder.file("stick"), readOnly: true })),
  );
  await stick.detach();
  console.error(await guest.tell("while [ -b /dev/sda ]; do usleep 10000; done; dmesg | tail"));
  console.error(await assertRejects(() => stick.detach()));
});
