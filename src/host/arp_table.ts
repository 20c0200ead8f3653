/** Which card has which address, as the host has heard it on its networks. */

import { openFunctions } from "../objc/mod.ts";
import "./libraries.ts";

const libc = openFunctions("system", {
  sysctl: { parameters: ["buffer", "u32", "buffer", "buffer", "pointer", "usize"], result: "i32" },
});

/** CTL_NET, PF_ROUTE, any protocol, AF_INET, NET_RT_FLAGS, RTF_LLINFO. */
const NAME = new Int32Array([4, 17, 0, 2, 2, 0x400]);

/** Bytes of a table: no host has heard of so many others. */
const [USUAL, LARGEST] = [1 << 16, 1 << 24];

/** An address and the card that has it. */
export interface Neighbour {
  /** `192.168.64.7` */
  address: string;
  /** `52:54:00:0a:0b:0c` */
  mac: string;
}

const [AF_INET, AF_LINK] = [2, 18];
/** Of a struct rt_msghdr. */
const HEADER = 92;
const MAC_LENGTH = 6;

/**
 * What the bytes of a table say.
 *
 * Sources: route(4); struct rt_msghdr, sockaddr_inarp and sockaddr_dl of xnu's bsd/net; Apple's arp.c.
 */
export function parseARPTable(bytes: Uint8Array): Neighbour[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found: Neighbour[] = [];
  for (let start = 0, size; start + HEADER < bytes.length; start += size) {
    size = view.getUint16(start, true); // rtm_msglen
    if (size <= HEADER) break;
    const protocol = start + HEADER; // its sockaddr: length, family, port, address
    const link = protocol + Math.ceil(bytes[protocol] / 4) * 4; // length, family, …, lengths of name and address at 5 and 6
    const mac = link + 8 + bytes[link + 5];
    const isCard = bytes[protocol + 1] === AF_INET && bytes[link + 1] === AF_LINK &&
      bytes[link + 6] === MAC_LENGTH;
    if (!isCard || mac + MAC_LENGTH > Math.min(start + size, bytes.length)) continue;
    found.push({
      address: bytes.subarray(protocol + 4, protocol + 8).join("."),
      mac: Array.from(bytes.subarray(mac, mac + MAC_LENGTH), (byte) => byte.toString(16).padStart(2, "0"))
        .join(":"),
    });
  }
  return found;
}

/**
 * The host's neighbours now; none when the system does not tell.
 *
 * Source: sysctl(3).
 */
export function neighbours(): Neighbour[] {
  for (let size = USUAL; size <= LARGEST; size *= 4) {
    const bytes = new Uint8Array(size);
    const length = new BigUint64Array([BigInt(size)]);
    const name = new Uint8Array(NAME.buffer);
    if (libc.sysctl(name, NAME.length, bytes, new Uint8Array(length.buffer), null, 0n) === 0) {
      return parseARPTable(bytes.subarray(0, Number(length[0])));
    }
  }
  return [];
}
