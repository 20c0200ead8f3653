/** Tests that mostly wait: the other tests of their file run meanwhile. */

/**
 * A test that begins with the first test of its file, and is waited for in its turn: it stands behind all others, and
 * nothing that they do may be of matter to it.
 */
export function meanwhile(name: string, body: () => Promise<void>): void {
  let begun: Promise<PromiseSettledResult<void>[]> | undefined;
  Deno.test.beforeAll(() => {
    begun = Promise.allSettled([body()]);
  });
  // Where a filter has left it out, what it has started is not left behind.
  Deno.test.afterAll(async () => {
    await begun;
  });
  Deno.test(name, async () => {
    const [result] = await begun!;
    if (result.status === "rejected") throw result.reason;
  });
}
