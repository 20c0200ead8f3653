/** Kernels in the forms in which distributions ship them. */

import type { Cache } from "./cache.ts";
import type { Compression } from "./compression.ts";
import { ImageError } from "./error.ts";
import { Input, Output } from "./byte_reader.ts";
import { has } from "./magic.ts";
import type { Work } from "./progress.ts";

/** Processors, as Deno.build.arch has them. */
export type Arch = "x86_64" | "aarch64";

/** The forms that can be booted as they are: a `bzImage` on Intel, an arm64 `Image` on Apple silicon. */
export type KernelFormat = "bzImage" | "Image";

/** A kernel that can be booted. */
export interface OpenedKernel {
  /** The file for the boot loader; the one that was opened, when nothing had to be unpacked. */
  kernel: string;
  format: KernelFormat;
  /** How many bytes of command line it takes; it starts with a longer one, and shows nothing. */
  commandLineLimit: number;
  /** What a bzImage says of its version: `6.12.48+deb13-amd64 (…) #1 SMP …`. */
  version?: string;
  /** What the file is, from the outside to the inside: `gzip`, `arm64 Image`. */
  layers: string[];
  /** The initial RAM disk of a unified kernel image. */
  initrd?: string;
  /** The command line of a unified kernel image. */
  commandLine?: string;
}

/** How many bytes {@linkcode kernelFormat} looks at. */
export const KERNEL_HEAD = 4096;

/** How much a kernel has at most; larger ones are bombs. */
const LARGEST = 2 ** 30;

/** How often things may be packed into each other. */
const DEEPEST = 8;

const FORMATS: Record<KernelFormat, { layer: string; arch: Arch }> = {
  bzImage: { layer: "bzImage", arch: "x86_64" },
  Image: { layer: "arm64 Image", arch: "aarch64" },
};

const NAMES: Record<Arch, string> = { x86_64: "x86_64", aarch64: "arm64 (aarch64)" };

/** Something that has to be unpacked to get at the kernel. */
interface Packed {
  /** For people. */
  layer: string;
  /** In the names of files that are kept. */
  name: string;
  unpack(file: Input, output: Output): Promise<void>;
  /** Of a unified kernel image. */
  initrd?: (file: Input, output: Output) => Promise<void>;
  commandLine?: string;
}

/**
 * How many bytes of command line a kernel takes; it starts with a longer one, and shows nothing.
 *
 * @param head Its first {@linkcode KERNEL_HEAD} bytes.
 */
function commandLineLimit(head: Uint8Array, format: KernelFormat): number {
  // arm64's COMMAND_LINE_SIZE, less its zero; a bzImage says it itself, in cmdline_size.
  if (format === "Image") return 2047;
  if (head.length < 0x23c) return Infinity;
  return new DataView(head.buffer, head.byteOffset).getUint32(0x238, true) || Infinity;
}

/** A bzImage's version. Source: kernel_version in the kernel's Documentation/arch/x86/boot.rst. */
function versionOf(file: Input, head: DataView): string | undefined {
  const [start, length] = [head.byteLength >= 0x210 ? head.getUint16(0x20e, true) : 0, 128];
  if (start === 0 || 0x200 + start + length > file.end) return undefined;
  return new TextDecoder().decode(file.at(0x200 + start, length)).replace(/\0.*/s, "");
}

/**
 * The form of a kernel that can be booted as it is.
 *
 * @param head Its first {@linkcode KERNEL_HEAD} bytes, or the whole of a shorter file.
 *
 * Sources: the kernel's Documentation/arch/x86/boot.rst and Documentation/arch/arm64/booting.rst.
 */
export function kernelFormat(head: Uint8Array): KernelFormat | undefined {
  if (has(head, 56, "ARM\x64")) return "Image";
  if (has(head, 0x202, "HdrS")) return "bzImage";
}

function checkArch(found: Arch | undefined, arch: Arch): void {
  if (found === arch) return;
  const of = found ? NAMES[found] : "another processor";
  throw new ImageError(`it is a kernel for ${of}, and this machine is ${NAMES[arch]}`);
}

function archOf(machines: Record<Arch, number>, machine: number): Arch | undefined {
  return (Object.keys(machines) as Arch[]).find((arch) => machines[arch] === machine);
}

/** Finds out whether a kernel that can be booted is all there, as far as it says how long it is. */
async function checkWhole(file: Input, head: DataView, format: KernelFormat): Promise<void> {
  if (format === "bzImage" && head.byteLength >= 0x1f8) {
    const setup = ((head.getUint8(0x1f1) || 4) + 1) * 512;
    if (setup + head.getUint32(0x1f4, true) * 16 > file.end) throw new ImageError("it ends too early");
  }
  // An EFI program too, whose sections are looked for.
  if (head.getUint16(0) === 0x4d5a && file.end >= 64) (await import("./pe.ts")).readPE(file);
}

function packedWith(compression: Compression, layer: string, part: (file: Input) => Input): Packed {
  return {
    layer,
    name: compression.name,
    async unpack(file, output) {
      const { decompress } = await import("./compression.ts");
      await decompress(compression, part(file), output);
    },
  };
}

/** EFI zboot: an EFI program that decompresses the kernel that it holds. Source: the kernel's zboot-header.S. */
async function zboot(file: Input, head: DataView): Promise<Packed> {
  const { compressionOf } = await import("./compression.ts");
  const [start, size] = [head.getUint32(8, true), head.getUint32(12, true)];
  const name = new TextDecoder().decode(head.buffer.slice(24, 56)).replace(/\0.*$/s, "");
  if (start + size > file.end) throw new ImageError("it ends too early");
  const compression = compressionOf(file.stretch(start, start + size));
  if (!compression) throw new ImageError(`it is an EFI zboot image whose compression is not known: ${name}`);
  return packedWith(
    compression,
    `EFI zboot (${compression.name})`,
    (file) => file.stretch(start, start + size),
  );
}

/** systemd's unified kernel image. Source: the UAPI group's Unified Kernel Image specification. */
async function unified(file: Input, arch: Arch): Promise<Packed> {
  const { IMAGE_FILE_MACHINE, readPE } = await import("./pe.ts");
  const pe = readPE(file);
  const linux = pe?.sections.get(".linux");
  if (!pe || !linux) throw new ImageError("it is an EFI or DOS program without a kernel in it");
  checkArch(archOf(IMAGE_FILE_MACHINE, pe.machine), arch);
  const section = ({ offset, size }: { offset: number; size: number }) => (file: Input, output: Output) =>
    output.copy(file.stretch(offset, offset + size));
  const [initrd, commandLine] = [pe.sections.get(".initrd"), pe.sections.get(".cmdline")];
  return {
    layer: "unified kernel image",
    name: "linux",
    unpack: section(linux),
    ...initrd && { initrd: section(initrd) },
    ...commandLine && {
      commandLine: new TextDecoder().decode(file.at(commandLine.offset, commandLine.size))
        .replace(/[\0\n]+/g, " ").trim(),
    },
  };
}

/** A vmlinux: on arm64 its segments are the Image, on x86 it lacks what a bzImage says at its head. */
async function vmlinux(head: DataView, arch: Arch): Promise<Packed> {
  const { EM, loadSegments } = await import("./elf.ts");
  checkArch(archOf(EM, head.getUint16(0x12, true)), arch);
  if (arch === "x86_64") {
    throw new ImageError(
      "it is an ELF file, and even a vmlinux cannot be booted: take the bzImage that was made of it",
    );
  }
  return { layer: "vmlinux", name: "vmlinux", unpack: loadSegments };
}

/** What has to be unpacked of a file that is no kernel as it stands. */
async function packed(file: Input, bytes: Uint8Array<ArrayBuffer>, arch: Arch): Promise<Packed> {
  const head = new DataView(bytes.buffer, 0, bytes.length);
  if (has(bytes, 0, "MZ") && bytes.length >= 64) {
    return has(bytes, 4, "zimg") ? await zboot(file, head) : await unified(file, arch);
  }
  if (has(bytes, 0, "\x7fELF") && bytes.length >= 64) return await vmlinux(head, arch);
  const { compressionOf } = await import("./compression.ts");
  const compression = compressionOf(file);
  if (compression) return packedWith(compression, compression.name, (file) => file);
  const isText = bytes.every((byte) => byte >= 0x20 || (byte >= 0x08 && byte <= 0x0d));
  throw new ImageError(
    isText ? "it is text, not a kernel" : "it is not a Linux kernel, nor anything that one is packed in",
  );
}

/**
 * Opens a kernel in whatever form it comes. What has to be unpacked is kept in the cache, so that it is done once.
 *
 * @throws {ImageError} When it is no kernel, damaged, or for another processor.
 */
export async function openKernel(
  path: string,
  arch: Arch,
  cache: Pick<Cache, "file" | "forget">,
  work: Work = {},
): Promise<OpenedKernel> {
  const layers: string[] = [];
  const found: Pick<OpenedKernel, "initrd" | "commandLine"> = {};
  let [kernel, kind] = [path, ""];
  try {
    for (let depth = 0; depth < DEEPEST; depth++) {
      using file = Deno.openSync(kernel);
      const input = new Input(file, work);
      const head = input.at(0, Math.min(KERNEL_HEAD, input.end));
      const format = kernelFormat(head);
      if (format) {
        checkArch(FORMATS[format].arch, arch);
        const view = new DataView(head.buffer);
        await checkWhole(input, view, format);
        const version = format === "bzImage" ? versionOf(input, view) : undefined;
        return {
          kernel,
          format,
          ...version !== undefined && { version },
          commandLineLimit: commandLineLimit(head, format),
          layers: [...layers, FORMATS[format].layer],
          ...found,
        };
      }
      const { layer, name, unpack, initrd, commandLine } = await packed(input, head, arch);
      layers.push(layer);
      const keep = (kind: string, unpack: Packed["unpack"]) =>
        cache.file(path, kind, (made) => unpack(input, new Output(made, LARGEST)), work);
      if (initrd) found.initrd = await keep(`${kind}initrd`, initrd);
      if (commandLine !== undefined) found.commandLine = commandLine;
      kernel = await keep(`${kind}${name}`, unpack);
      kind += `${name}.`;
    }
  } catch (error) {
    // It is no kernel, or somebody has damaged what was kept.
    if (error instanceof ImageError && kernel !== path) cache.forget(kernel);
    throw error;
  }
  throw new ImageError(`it is packed more than ${DEEPEST} times`);
}
