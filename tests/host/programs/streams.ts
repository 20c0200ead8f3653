// Waits a second for connections on which nothing comes, closes them, and says how much processor time that took.

import process from "node:process";
import { StreamSocket } from "../../../src/host/stream_socket.ts";

const pairs = Array.from({ length: 100 }, () => StreamSocket.pair());
const reading = pairs.flat().map(({ readable }) => readable.getReader().read().catch(() => {}));
await new Promise((resolve) => setTimeout(resolve, 200));
const used = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const before = used();
await new Promise((resolve) => setTimeout(resolve, 1_000));
console.log(Math.round(used() - before));
for (const socket of pairs.flat()) socket.close();
await Promise.all(reading);
