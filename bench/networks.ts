/** Measures what comes out of a guest by each kind of network, beside QEMU alone with the same guest. */

import { freePort } from "../scripts/free_ports.ts";
import { type Bench, commandLine, FILES, machine, program, qemu, vzrun } from "./bench.ts";
import { column, inTurn, type Row } from "./figures.ts";
import { Running } from "./running.ts";

const SIZE = 30_000_000;
const ADDRESS = "192.168.209.2";
const PREFIX = "192.168.209.0/24";

/** The guest, with an HTTP server that has a large file, when it says so. */
const RUN =
  `ip link set eth0 up; ip addr add ${ADDRESS}/24 dev eth0; ip route add default via 192.168.209.1; ` +
  `head -c ${SIZE} /dev/zero >/tmp/file; httpd -p 80 -h /tmp; echo ready; sleep 1000`;
const COMMAND_LINE = commandLine(RUN);

/** One kind of network: the commands that boot the guest on it, when its server is at a port of the host's. */
interface Kind {
  what: string;
  vzrun(port: number, passt: string): string[];
  native(port: number, passt: string): string[];
  passt: boolean;
}

function kinds(): Kind[] {
  const ours = [...vzrun(...machine(COMMAND_LINE)), "-nic"];
  const stream = (passt: string) => `stream,server=off,addr.type=unix,addr.path=${passt}`;
  const user = (port: number) => `hostfwd=tcp:127.0.0.1:${port}-${ADDRESS}:80`;
  return [
    {
      what: "hostfwd",
      vzrun: (port) => [...ours, `user,net=${PREFIX},dhcpstart=${ADDRESS},${user(port)}`],
      native: (port) =>
        qemu(COMMAND_LINE, `user,net=${PREFIX},host=192.168.209.1,dhcpstart=${ADDRESS},${user(port)}`),
      passt: false,
    },
    {
      what: "stream",
      vzrun: (_, passt) => [...ours, stream(passt)],
      native: (_, passt) => qemu(COMMAND_LINE, stream(passt)),
      passt: true,
    },
    {
      what: "frames in TypeScript",
      vzrun: (_, passt) => program("frames_to_stream", ...FILES, COMMAND_LINE, passt),
      native: (_, passt) => qemu(COMMAND_LINE, stream(passt)),
      passt: true,
    },
  ];
}

/** MB/s, and seconds of CPU time a GB, of what the guest serves. */
async function measure(kind: Kind, who: "vzrun" | "native"): Promise<[speed: number, cpu: number]> {
  const folder = await Deno.makeTempDir();
  try {
    const [port, socket] = [freePort(), `${folder}/passt`];
    await using all = new AsyncDisposableStack();
    if (kind.passt) {
      const user = Deno.uid() === 0 ? ["--runas", `0:0`] : [];
      const args = [
        "-f",
        "-e",
        "-4",
        ...user,
        "-s",
        socket,
        "-a",
        ADDRESS,
        "-n",
        "24",
        "-g",
        "192.168.209.1",
      ];
      const passt = all.use(new Running(["passt", ...args, "-t", `127.0.0.1/${port}:80`]));
      await passt.err.until("You can now start qemu");
    }
    const machine = all.use(new Running(kind[who](port, socket)));
    await machine.out.until("ready");
    const [before, from] = [machine.cpu(), performance.now()];
    const response = await fetch(`http://127.0.0.1:${port}/file`);
    let bytes = 0;
    for await (const chunk of response.body!) bytes += chunk.length;
    if (bytes !== SIZE) throw new Error(`${kind.what}: ${bytes} bytes of ${SIZE} have come`);
    const seconds = (performance.now() - from) / 1000;
    return [SIZE / 1e6 / seconds, (machine.cpu() - before) / (SIZE / 1e9)];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

export async function* measureNetworks({ rounds }: Bench): AsyncGenerator<Row> {
  for (const kind of kinds()) {
    const results = await inTurn(Math.min(rounds, 2), {
      vzrun: () => measure(kind, "vzrun"),
      native: () => measure(kind, "native"),
    });
    yield { what: `out of the guest by ${kind.what}`, unit: "MB/s", ...column(results, 0) };
    yield { what: "CPU time of that", unit: "s/GB", ...column(results, 1) };
  }
}
