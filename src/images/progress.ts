/** Told how far work has come: bytes of its input that are done, and how many there are. */
export type Progress = (done: number, total: number) => void;

/** How long work goes on, and who hears of it. */
export interface Work {
  /** Told now and then, at least every few MiB. */
  progress?: Progress;
  /** Ends the work, which then leaves nothing behind. */
  signal?: AbortSignal;
}
