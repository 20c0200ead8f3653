/** Ports of 127.0.0.1 that nobody listens at now, each another. */
export function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map(({ addr }) => addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}

/** One of them. */
export function freePort(): number {
  return freePorts(1)[0];
}
