/** Ignition's file for a guest on its first boot, by HTTP at a port of its sockets. */

import { FileError } from "../host/error.ts";
import { inTime } from "../host/in_time.ts";
import { openFile } from "../host/files.ts";
import type { Reporter } from "../machine/run_context.ts";
import type { VirtualMachine } from "../machine/virtual_machine.ts";
import type { VsockConnection } from "../machine/vsock_device.ts";

/** Where Ignition asks. Source: its provider "applehv". */
const PORT = 1024;

/** How long a request's head may be, in bytes, and how long it may take, in milliseconds. */
const LONGEST_HEAD = 16 * 1024;
const PATIENCE = 10_000;

const encoder = new TextEncoder();

/**
 * Looks at the file.
 *
 * @throws {FileError} When it cannot be read.
 */
export function checkIgnition(path: string): void {
  openFile("Ignition file", path).close();
}

/**
 * Serves the file to the guest, as often as it asks.
 *
 * @returns What ends that.
 */
export async function serveIgnition(
  { vsock }: Pick<VirtualMachine, "vsock">,
  path: string,
  { debug }: Pick<Reporter, "debug">,
): Promise<AsyncDisposable> {
  const listener = await vsock.listen(PORT);
  const serve = async () => {
    for await (const connection of listener) {
      answer(connection, path).then(
        (status) => debug(`Ignition has asked for its file: ${status}`),
        (error) => debug(`Ignition was not answered: ${error.message}`),
      ).finally(() => connection.close());
    }
  };
  const serving = serve();
  return {
    async [Symbol.asyncDispose]() {
      await listener[Symbol.asyncDispose]();
      await serving;
    },
  };
}

/** @returns The status. */
async function answer({ readable, writable, closed }: VsockConnection, path: string): Promise<string> {
  const method = await readMethod(readable);
  const { status, body } = method === "GET" || method === "HEAD"
    ? fileOf(path)
    : { status: "405 Method Not Allowed", body: new Uint8Array() };
  const head = [
    `HTTP/1.1 ${status}`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    "Connection: close",
  ];
  const writer = writable.getWriter();
  await writer.write(encoder.encode(`${head.join("\r\n")}\r\n\r\n`));
  if (method !== "HEAD") await writer.write(body);
  await writer.close();
  await inTime(closed, PATIENCE); // until it has read all
  return status;
}

function fileOf(path: string): { status: string; body: Uint8Array<ArrayBuffer> } {
  try {
    using file = openFile("Ignition file", path);
    const body = new Uint8Array(file.statSync().size);
    for (let at = 0, length: number | null = 0; at < body.length && length !== null; at += length ?? 0) {
      length = file.readSync(body.subarray(at));
    }
    return { status: "200 OK", body };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return {
      status: "500 Internal Server Error",
      body: encoder.encode(JSON.stringify({ error: error.message })),
    };
  }
}

/** Reads the head of a request. @throws {Error} When it is none. */
async function readMethod(readable: VsockConnection["readable"]): Promise<string> {
  const reader = readable.getReader();
  let head = "";
  const read = async () => {
    while (!/\r?\n\r?\n/.test(head)) {
      const { value, done } = await reader.read();
      if (done || head.length > LONGEST_HEAD) throw new Error("its request has no end");
      head += String.fromCharCode(...value);
    }
  };
  if (!await inTime(read(), PATIENCE)) throw new Error("its request has not come in time");
  const [, method] = /^([A-Z]+) \S+ HTTP\/1\.[01]\r?\n/.exec(head) ?? [];
  if (method === undefined) throw new Error("its request is no HTTP");
  reader.releaseLock();
  readable.cancel().catch(() => {}); // nothing more is asked
  return method;
}
