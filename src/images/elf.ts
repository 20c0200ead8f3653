/** ELF, as far as a vmlinux goes. */

import { damaged, ImageError } from "./error.ts";
import type { Input, Output } from "./byte_reader.ts";

const PT_LOAD = 1;

/** e_machine of the processors that Virtualization has. */
export const EM = { x86_64: 62, aarch64: 183 } as const;

interface Segment {
  offset: number;
  /** Where it is loaded. */
  address: number;
  /** Bytes of it in the file; what it has beyond them is zero. */
  size: number;
}

function loadable(elf: Input): Segment[] {
  const header = new DataView(elf.at(0, 64).buffer);
  if (header.getUint32(4) >>> 8 !== 0x020101) throw new ImageError("it is no little-endian 64-bit ELF file");
  const [table, entrySize, count] = [
    Number(header.getBigUint64(0x20, true)),
    header.getUint16(0x36, true),
    header.getUint16(0x38, true),
  ];
  if (entrySize < 56) throw damaged("its program headers are too small");
  const segments: Segment[] = [];
  for (let i = 0; i < count; i++) {
    const entry = new DataView(elf.at(table + i * entrySize, 56).buffer);
    const [offset, address, size] = [0x08, 0x18, 0x20].map((at) => Number(entry.getBigUint64(at, true)));
    if (entry.getUint32(0, true) === PT_LOAD && size > 0) segments.push({ offset, address, size });
  }
  return segments.sort((a, b) => a.address - b.address);
}

/**
 * Writes what a vmlinux has in memory, from the lowest address on, as `objcopy -O binary` does.
 *
 * Source: the System V ABI's chapter on program loading.
 */
export async function loadSegments(elf: Input, output: Output): Promise<void> {
  const segments = loadable(elf);
  if (segments.length === 0) throw new ImageError("it is an ELF file with nothing to load");
  const [{ address: base }] = segments;
  for (const { offset, address, size } of segments) {
    if (address - base < output.length) throw damaged("its segments overlap");
    if (offset + size > elf.end) throw new ImageError("it ends too early");
    output.skipTo(address - base);
    await output.copy(elf.stretch(offset, offset + size));
  }
}
