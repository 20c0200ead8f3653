/** Unified kernel images: a kernel, its initial RAM disk and its command line as one EFI program. */

function aligned(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}

/**
 * Puts sections into systemd's stub, as objcopy does; the stub hands them to the kernel.
 *
 * Source: Microsoft's PE Format.
 */
export function unifiedKernel(stub: Uint8Array, sections: Record<string, Uint8Array>): Uint8Array {
  const header = new DataView(stub.buffer).getUint32(0x3c, true);
  const optional = header + 24;
  const field = (view: DataView, offset: number) => view.getUint32(optional + offset, true);
  const stubView = new DataView(stub.buffer);
  const [alignment, sizeOfImage] = [field(stubView, 36), field(stubView, 56)];
  const size = Object.values(sections).reduce(
    (size, content) => size + aligned(content.length, alignment),
    aligned(stub.length, alignment),
  );
  const image = new Uint8Array(size);
  image.set(stub);
  const view = new DataView(image.buffer);
  let count = view.getUint16(header + 6, true);
  const table = optional + view.getUint16(header + 20, true);
  let [address, offset] = [sizeOfImage, aligned(stub.length, alignment)];
  for (const [name, content] of Object.entries(sections)) {
    address = aligned(address, 0x10000);
    const entry = table + 40 * count++;
    if (entry + 40 > field(view, 60)) throw new Error("The stub has no room for another section");
    image.set(new TextEncoder().encode(name), entry);
    const rawSize = aligned(content.length, alignment);
    [content.length, address, rawSize, offset].forEach((value, i) =>
      view.setUint32(entry + 8 + 4 * i, value, true)
    );
    view.setUint32(entry + 36, 0x40000040, true); // initialized data that is read
    image.set(content, offset);
    address += content.length;
    offset += rawSize;
  }
  view.setUint16(header + 6, count, true);
  view.setUint32(optional + 56, aligned(address, field(view, 32)), true);
  return image;
}
