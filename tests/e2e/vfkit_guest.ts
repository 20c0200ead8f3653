/** What the tests of vfkit's front end share: words of guests, a client of REST, a network's other end. */

import { ECHO } from "./datagram_echo.ts";
import { liveCD } from "./live_cd.ts";
import { guestFiles } from "./vsock_guest.ts";
import { ENVIRONMENT, type Folder, GUEST, Output, SOONER } from "./vzrun.ts";

/** A kernel command line that runs commands. */
export function commandLine(commands: string, ...words: string[]): string {
  return ["console=hvc0", "quiet", SOONER, ...words, `run="${commands}"`].join(" ");
}

/** `--bootloader linux` with the guest. */
export function linux(commands: string, ...words: string[]): string[] {
  const files = `kernel=${GUEST}/vmlinuz,initrd=${GUEST}/initrd`;
  return ["--bootloader", `linux,${files},cmdline=${commandLine(commands, ...words)}`];
}

/** A folder with what guests need, and a CD, which is a disk as well, that boots one by EFI. */
export async function withDisk(commands: string): Promise<{ folder: Folder; disk: string }> {
  const folder = await guestFiles();
  return { folder, disk: await liveCD(folder, commandLine(commands)) };
}

/** Shares that `SET_UP` mounts. */
export function shares({ path }: Folder): string[] {
  const share = (words: string) => ["--device", `virtio-fs,${words}`];
  return [...share("sharedDir=/,mountTag=host,readonly"), ...share(`sharedDir=${path},mountTag=files`)];
}

/** An answer of REST's. */
export interface Answer {
  status: number;
  /** As JSON; undefined when there is none. */
  body: unknown;
}

/** Asks by curl, as clients in other languages do. @param place `http://HOST:PORT`, or a socket's path. */
export async function curl(place: string, path: string, ...options: string[]): Promise<Answer> {
  const where = place.startsWith("/") ? ["--unix-socket", place, `http://_${path}`] : [`${place}${path}`];
  const args = ["-s", "-S", "-m", "20", "-w", "\n%{http_code}", ...options, ...where];
  const { success, stdout, stderr } = await new Deno.Command("curl", { args, ...ENVIRONMENT }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new Error(err);
  const [, body, status] = /^(.*)\n(\d+)$/s.exec(out)!;
  return { status: Number(status), body: body === "" ? undefined : JSON.parse(body) };
}

/** Asks for a state, without a content type, as podman does. */
export function change(place: string, state: string): Promise<Answer> {
  return curl(place, "/vm/state", "-H", "Content-Type:", "-d", JSON.stringify({ state }));
}

/** A machine's state, without its `VirtualMachineState`; "gone" when nobody answers. */
export async function stateOf(place: string): Promise<string> {
  try {
    const { body } = await curl(place, "/vm/state");
    return (body as { state: string }).state.replace("VirtualMachineState", "");
  } catch {
    return "gone";
  }
}

/** The other end of a card on datagrams, as gvproxy is. */
export class DatagramPeer implements AsyncDisposable {
  readonly out: Output;
  readonly path: string;
  readonly #process: Deno.ChildProcess;

  private constructor(folder: Folder) {
    this.path = folder.file("gvproxy.sock");
    Deno.writeTextFileSync(folder.file("peer.ts"), ECHO);
    const args = ["run", "-q", "--no-config", "--unstable-net", "-A", folder.file("peer.ts"), this.path];
    const how = { args, ...ENVIRONMENT, stdout: "piped", stderr: "null" } as const;
    this.#process = new Deno.Command(Deno.execPath(), how).spawn();
    this.out = new Output(this.#process.stdout);
  }

  static async open(folder: Folder): Promise<DatagramPeer> {
    const peer = new DatagramPeer(folder);
    await peer.out.until("listening\n");
    return peer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await Promise.all([this.#process.status, this.out.ended]);
  }
}
