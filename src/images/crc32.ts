/** The checksum of zlib, PNG and GPT. node:zlib has it as well, and takes longer to load than to look for what boots. */

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? sum >>> 1 ^ 0xedb8_8320 : sum >>> 1;
  return sum;
});

/** CRC-32 of bytes. Source: ISO 3309, as in RFC 1952. */
export function crc32(bytes: Uint8Array): number {
  let sum = 0xffff_ffff;
  for (const byte of bytes) sum = sum >>> 8 ^ TABLE[(sum ^ byte) & 0xff];
  return (sum ^ 0xffff_ffff) >>> 0;
}
