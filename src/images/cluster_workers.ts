/** Decompresses clusters on other threads: node:zlib has none of its own in Deno. */

import {
  BATCH,
  type Buffers,
  type ClusterBatch,
  type Decompressed,
  type FromWorker,
  type ToWorker,
} from "./cluster_batch.ts";

/** Each takes some 16 MiB, and three are as fast as the four threads of qemu-img. */
const MOST_WORKERS = 3;

/** So many batches a worker has at a time: the next one is there when it has done one. */
const BATCHES = 2;

/** A worker, which answers in the order in which it is told. */
class ClusterWorker {
  readonly #worker = new Worker(new URL("./cluster_worker.ts", import.meta.url), { type: "module" });
  readonly #waiting: PromiseWithResolvers<FromWorker>[] = [];
  #error?: Error;

  constructor() {
    this.#worker.onmessage = ({ data }) => this.#waiting.shift()?.resolve(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#error = new Error(event.message);
      for (const { reject } of this.#waiting) reject(this.#error);
    };
  }

  tell(message: ToWorker): Promise<FromWorker> {
    const answer = Promise.withResolvers<FromWorker>();
    answer.promise.catch(() => {}); // it is awaited later, if at all
    if (this.#error) answer.reject(this.#error); // nothing answers any more
    this.#waiting.push(answer);
    this.#worker.postMessage(message, [message.input.buffer, message.output.buffer]);
    return answer.promise;
  }

  end(): void {
    this.#worker.terminate();
  }
}

/** Workers that decompress batches, which come back in their order. */
export class ClusterWorkers implements Disposable {
  readonly #workers: ClusterWorker[] = [];
  readonly #most = Math.min(navigator.hardwareConcurrency, MOST_WORKERS);
  readonly #sent: { batch: ClusterBatch; answer: Promise<FromWorker> }[] = [];
  /** Buffers that are free. */
  readonly #buffers: Buffers[] = [];
  #next = 0;

  /** Whether one is to be taken before another one is sent. */
  get isFull(): boolean {
    return this.#sent.length === this.#most * BATCHES;
  }

  /** Reads a batch, and has it decompressed. */
  send(batch: ClusterBatch): void {
    const free = this.#buffers.pop();
    const input = withRoom(batch.inputLength, free?.input);
    const output = withRoom(batch.length, free?.output);
    batch.read(input);
    const worker = this.#workers[this.#next] ??= new ClusterWorker();
    this.#next = (this.#next + 1) % this.#most;
    this.#sent.push({ batch, answer: worker.tell({ input, output, parts: batch.parts }) });
  }

  /** The oldest batch; undefined when there is none. It is good until the next one is sent. */
  async take(): Promise<Decompressed | undefined> {
    const sent = this.#sent.shift();
    if (!sent) return undefined;
    const { input, output, broken } = await sent.answer;
    this.#buffers.push({ input, output });
    return { batch: sent.batch, output, broken };
  }

  [Symbol.dispose](): void {
    for (const worker of this.#workers) worker.end();
  }
}

function withRoom(length: number, bytes?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return bytes && bytes.length >= length ? bytes : new Uint8Array(Math.max(length, BATCH));
}
