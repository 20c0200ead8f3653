// Forwards a port to one on loopback, until its standard input ends: `forward.ts PROTOCOL PORT`.

import { type Forward, listenAll } from "../../../src/machine/port_forward.ts";

const [protocol, port] = Deno.args;
const forward = {
  protocol: protocol as Forward["protocol"],
  hostAddress: "127.0.0.1",
  hostPort: 0,
  guestPort: Number(port),
};
await using listeners = await listenAll([forward], "forward");
listeners.serve(
  () => Promise.resolve("127.0.0.1"),
  (hostname, port) => Promise.resolve({ hostname, port }),
  { info: (message) => console.log(message), debug() {} },
);
console.log(listeners.ports[0]);
await Deno.stdin.read(new Uint8Array(1));
