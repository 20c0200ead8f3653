/** A machine with paths that mean the same from every folder. */

import type { Boot } from "./boot.ts";
import type { Machine } from "./machine.ts";
import type { Network, StreamAddress } from "./network.ts";

const from = (path: string) => path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;

const fromIfSaid = (path: string | undefined) => path === undefined ? undefined : from(path);

/**
 * A machine whose paths begin with a slash. Streams of a program's, which only that has, are left out, and the sizes by
 * which images were made.
 */
export function absolute(machine: Machine): Machine {
  const { machineId, boot, disks, shares, serial, network, vsock } = machine;
  const whole: Machine = {
    ...machine,
    machineId: fromIfSaid(machineId),
    boot: absoluteBoot(boot),
    disks: disks.map((disk) => ({ ...disk, file: from(disk.file), size: undefined })),
    shares: shares.map((share) => ({ ...share, folder: from(share.folder) })),
    serial: serial.map((port) => "path" in port ? { ...port, path: from(port.path) } : port),
    network: network.map(absoluteCard),
    ...vsock && { vsock: { ...vsock, join: vsock.join?.map((one) => ({ ...one, path: from(one.path) })) } },
  };
  return JSON.parse(JSON.stringify(whole)); // without what is undefined
}

function absoluteBoot(boot: Boot): Boot {
  if (boot.kind === "efi") return { kind: "efi", variables: fromIfSaid(boot.variables) }; // made anew is made once
  return { ...boot, kernel: from(boot.kernel), initrd: fromIfSaid(boot.initrd) };
}

const absoluteAddress = (address: StreamAddress): StreamAddress =>
  address.kind === "unix" ? { ...address, path: from(address.path) } : address;

function absoluteCard(card: Network): Network {
  switch (card.kind) {
    case "dgram":
      return { ...card, remote: from(card.remote), local: fromIfSaid(card.local) };
    case "stream":
      return { ...card, address: absoluteAddress(card.address) };
    case "frames": {
      const { frames: _, ...rest } = card;
      return rest as Network;
    }
    default:
      return card;
  }
}
