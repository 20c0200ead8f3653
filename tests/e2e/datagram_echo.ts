/** Sends each frame back to where it came from, and says how many there were; Deno's datagrams are not stable. */
export const ECHO = `const [path] = Deno.args;
const socket = Deno.listenDatagram({ transport: "unixpacket", path });
console.log("listening");
let count = 0;
for await (const [frame, from] of socket) {
  await socket.send(frame, from).catch(() => {});
  console.log(frame.length === 4 ? new TextDecoder().decode(frame) : "frame " + ++count);
}`;
