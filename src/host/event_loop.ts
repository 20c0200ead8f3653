/** Lets timers and whatever else has come have their turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Lets signals be heard too, by a timer of its own: they come by another thread, and {@linkcode nextTurn}, which waits for
 * nothing, may be over before they are there.
 */
export function turnForSignals(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
