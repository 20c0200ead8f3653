/** Whether bytes have a text, one byte a letter, at an offset: by such marks files tell what they are. */
export function has(bytes: Uint8Array, offset: number, text: string): boolean {
  return Array.from(text).every((char, i) => bytes[offset + i] === char.charCodeAt(0));
}

/** Whether a number is the mark of a frame to be skipped, which zstd and lz4 have in common. */
export function isSkippable(magic: number): boolean {
  return magic >>> 4 === 0x184d2a5;
}
