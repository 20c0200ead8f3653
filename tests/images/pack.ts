/** Kernels packed by the distribution's own tools, and as the kernel's makefiles do it. */

import type { Arch } from "../../src/images/kernel.ts";
import { ROOT } from "../e2e/vzrun.ts";

/** Each compression, by a tool that reads stdin and writes stdout. */
export const TOOLS: Record<string, string[]> = {
  gzip: ["gzip", "-1n"],
  zstd: ["zstd", "-q", "-1"],
  xz: ["xz", "-0"],
  lzma: ["lzma", "-0"],
  lz4: ["lz4", "-q", "-z"],
  "lz4 legacy": ["lz4", "-q", "-z", "-l"],
  bzip2: ["bzip2", "-1"],
};

/** What a program makes of its input; fails when it fails. */
export async function pipe(
  [program, ...args]: string[],
  input: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const child = new Deno.Command(program, { args, stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  const writing = writer.write(input).then(() => writer.close());
  const [{ success, stdout }] = await Promise.all([child.output(), writing]);
  if (!success) throw new Error(`${program} ${args.join(" ")} fails`);
  return stdout;
}

/** Packs by one of {@linkcode TOOLS}. */
export function pack(tool: string, bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  return pipe(TOOLS[tool], bytes);
}

export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** A number as the kernel writes it into its images. */
export function u32(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** An EFI zboot image as zboot-header.S and Makefile.zboot lay it out, without the program. */
export function zboot(name: string, payload: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(4096);
  const offset = 4096;
  header.set(new TextEncoder().encode("MZ\0\0zimg"));
  header.set(concat(u32(offset), u32(payload.length)), 8);
  header.set(new TextEncoder().encode(name), 24);
  // gzip ends with the size; with the others it comes after the payload.
  return concat(header, payload, name === "gzip" ? new Uint8Array() : u32(size), new Uint8Array(512));
}

/** What the kernel's sign-file puts at the end: a signature, its description and length, and a mark. */
export function signature(): Uint8Array<ArrayBuffer> {
  const length = new Uint8Array([0, 0, 1, 0]);
  const mark = new TextEncoder().encode("~Module signature appended~\n");
  return concat(new Uint8Array(256).fill(0x30), new Uint8Array(8), length, mark);
}

/** This machine's processor: that of systemd's stub, which is not there for the others. */
export const HERE = Deno.build.arch as Arch;
/** systemd's stub, of which unified kernel images are made. */
export const STUB = `/usr/lib/systemd/boot/efi/linux${HERE === "x86_64" ? "x64" : "aa64"}.efi.stub`;

/** The kernel of the guest that ./dev builds. */
export function guestKernel(arch: Arch): string {
  return `${ROOT}/build/guest/${arch}/vmlinuz`;
}
