/** What a machine holds of the host, given back at its end: a failure of that spoils no end that was good. */

import { FileError, isSystemError, reasonOf } from "../host/error.ts";
import type { Reporter } from "./run_context.ts";

/** The errors of one disposal of many, the first first. */
function flattened(error: unknown): unknown[] {
  return error instanceof SuppressedError
    ? [...flattened(error.suppressed), ...flattened(error.error)]
    : [error];
}

/** Says what could not be given back. What is gone already is well. */
function say(error: unknown, { info }: Pick<Reporter, "info">): void {
  for (const one of flattened(error)) {
    if (one instanceof Deno.errors.NotFound) continue;
    const why = !(one instanceof FileError) && isSystemError(one) ? reasonOf(one) : (one as Error).message;
    info(`something is left behind: ${why}`);
  }
}

/** An AsyncDisposableStack that does not throw when it is disposed of: what goes wrong is said. */
export class Cleanup extends AsyncDisposableStack {
  /** @param reporter Hears it. */
  constructor(readonly reporter: Pick<Reporter, "info">) {
    super();
  }

  override async disposeAsync(): Promise<void> {
    try {
      await super.disposeAsync();
    } catch (error) {
      say(error, this.reporter);
    }
  }

  override [Symbol.asyncDispose](): Promise<void> {
    return this.disposeAsync();
  }

  override move(): Cleanup {
    const moved = new Cleanup(this.reporter);
    moved.use(super.move());
    return moved;
  }
}

/** A DisposableStack of the same kind: the failure that has led to its disposal is the one that counts. */
export class Rollback extends DisposableStack {
  /** @param reporter Hears it. */
  constructor(readonly reporter: Pick<Reporter, "info">) {
    super();
  }

  override dispose(): void {
    try {
      super.dispose();
    } catch (error) {
      say(error, this.reporter);
    }
  }

  override [Symbol.dispose](): void {
    this.dispose();
  }
}
