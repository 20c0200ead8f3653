/** PE files, the form of EFI programs; kernels are such programs too. */

import { ImageError } from "./error.ts";
import type { Input } from "./byte_reader.ts";

/** A section as it is in the file. */
export interface Section {
  offset: number;
  size: number;
}

export interface PE {
  /** The processor. */
  machine: number;
  /** The first of each name. */
  sections: Map<string, Section>;
}

/** Machine types of the processors that Virtualization has. */
export const IMAGE_FILE_MACHINE = { x86_64: 0x8664, aarch64: 0xaa64 } as const;

/**
 * Reads the table of sections.
 *
 * @returns Nothing when it is a DOS program or a kernel without EFI's stub.
 * @throws {ImageError} When the file ends before one of them does.
 *
 * Source: Microsoft's PE Format.
 */
export function readPE(file: Input): PE | undefined {
  const header = new DataView(file.at(0, 64).buffer).getUint32(0x3c, true);
  if (header + 24 > file.end) return undefined;
  const coff = new DataView(file.at(header, 24).buffer);
  if (coff.getUint32(0) !== 0x50450000) return undefined;
  const table = header + 24 + coff.getUint16(20, true);
  const sections = new Map<string, Section>();
  for (let i = 0; i < coff.getUint16(6, true); i++) {
    const entry = file.at(table + 40 * i, 40);
    const name = new TextDecoder().decode(entry.subarray(0, 8)).replace(/\0.*$/s, "");
    const [virtualSize, rawSize, offset] = [8, 16, 20].map((at) =>
      new DataView(entry.buffer).getUint32(at, true)
    );
    if (offset + rawSize > file.end && rawSize > 0) throw new ImageError("it ends too early");
    // In the file a section is padded; an initial RAM disk must not be.
    if (!sections.has(name)) sections.set(name, { offset, size: Math.min(virtualSize || rawSize, rawSize) });
  }
  return { machine: coff.getUint16(4, true), sections };
}

/** No program has as much before its header, which is so found without long searches. */
const MOST_BEFORE_HEADER = 1 << 20;

/** Processors by the machine type of their programs. */
const PROCESSORS: Record<number, string> = {
  [IMAGE_FILE_MACHINE.x86_64]: "x86_64",
  [IMAGE_FILE_MACHINE.aarch64]: "aarch64",
  0x14c: "ia32",
  0x1c0: "arm",
  0x1c2: "arm",
  0x1c4: "arm",
  0x5032: "riscv32",
  0x5064: "riscv64",
  0x6264: "loongarch64",
};

/**
 * The processor that a program is for: `aarch64`; nothing when it is no program, or of one that is not known.
 *
 * @param read Bytes of it from an offset, fewer at its end.
 */
export function processorOf(
  read: (offset: number, length: number) => Uint8Array<ArrayBuffer>,
): string | undefined {
  const head = read(0, 64);
  if (head.length < 64 || head[0] !== 0x4d || head[1] !== 0x5a) return undefined;
  const header = new DataView(head.buffer).getUint32(0x3c, true);
  const coff = header > MOST_BEFORE_HEADER ? new Uint8Array() : read(header, 6);
  if (coff.length < 6) return undefined;
  const view = new DataView(coff.buffer);
  return view.getUint32(0) === 0x50450000 ? PROCESSORS[view.getUint16(4, true)] : undefined;
}
