/** Where an ISO 9660 volume says what it is: the first volume descriptor, in sector 16. */
export const ISO_MARK = { offset: 16 * 2048 + 1, text: "CD001" } as const;

/** Whether these are the bytes at {@linkcode ISO_MARK}'s offset of an ISO 9660 image. */
export function isISO(bytes: Uint8Array): boolean {
  return new TextDecoder().decode(bytes) === ISO_MARK.text;
}
