/** Connections of Deno's. */

/** Writes all bytes. @throws When the peer has gone. */
export async function writeWhole(connection: Deno.Conn, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

/** Closes a connection, which may be closed already. Who reads or writes it gets an error. */
export function closeConnection(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch { /* it is */ }
}
