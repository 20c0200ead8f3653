/** A MAC address with two small digits a byte; what is none stays as it is. */
export function normalMAC(text: string): string {
  if (!/^[0-9a-f]{1,2}(:[0-9a-f]{1,2}){5}$/i.test(text)) return text;
  return text.toLowerCase().split(":").map((byte) => byte.padStart(2, "0")).join(":");
}
