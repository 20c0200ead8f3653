/** xz and lzma, by liblzma. */

// @ts-types="../../types/liblzma.d.ts"
import createLiblzma, { type Liblzma } from "node-liblzma/wasm/liblzma.js";
import { ImageError } from "./error.ts";
import { CHUNK, type Input, type Sink } from "./byte_reader.ts";

/** What liblzma may use: dictionaries have at most 128 MiB, those of the kernel's own makefiles among them. */
const MEMORY = 130n << 20n;
const OUTPUT = 1 << 20;

/** lzma_ret, of lzma/base.h. */
const [OK, STREAM_END, MEMLIMIT_ERROR, BUF_ERROR] = [0, 1, 6, 10];
const FINISH = 3;

/** Fields of lzma_stream on a 32-bit machine, as WebAssembly is one. */
const STREAM = { nextIn: 0, availIn: 4, nextOut: 16, availOut: 20, size: 96 };

function problem(code: number): string {
  if (code === BUF_ERROR) return "it ends too early";
  if (code === MEMLIMIT_ERROR) return "its dictionary has more than 128 MiB";
  return "it is damaged";
}

let program: WebAssembly.Module | undefined;

/** liblzma with a memory of its own, which goes with it: dictionaries are large. */
function instantiate(): Promise<Liblzma> {
  program ??= new WebAssembly.Module(
    Deno.readFileSync(new URL(import.meta.resolve("node-liblzma/wasm/liblzma.wasm"))),
  );
  const module = program;
  return createLiblzma({
    instantiateWasm(imports, done) {
      const instance = new WebAssembly.Instance(module, imports);
      done(instance);
      return instance.exports;
    },
  });
}

/** Decompresses an lzma file, or one xz stream. */
export async function unlzma(input: Input, output: Sink): Promise<void> {
  const lzma = await instantiate();
  const stream = lzma._malloc(STREAM.size);
  lzma.HEAPU8.fill(0, stream, stream + STREAM.size);
  if (lzma._lzma_auto_decoder(stream, MEMORY, 0) !== OK) throw new Error("liblzma does not start");
  const from = lzma._malloc(CHUNK);
  const to = lzma._malloc(OUTPUT);
  let action = 0;
  for (let code = OK; code === OK;) {
    // Its memory moves when it grows, so views of it are good for one call.
    let fields = new DataView(lzma.HEAPU8.buffer, stream);
    if (fields.getUint32(STREAM.availIn, true) === 0 && action !== FINISH) {
      await input.yieldToEventLoop();
      const bytes = input.next();
      if (bytes.length === 0) action = FINISH;
      lzma.HEAPU8.set(bytes, from);
      fields.setUint32(STREAM.nextIn, from, true);
      fields.setUint32(STREAM.availIn, bytes.length, true);
    }
    fields.setUint32(STREAM.nextOut, to, true);
    fields.setUint32(STREAM.availOut, OUTPUT, true);
    code = lzma._lzma_code(stream, action);
    fields = new DataView(lzma.HEAPU8.buffer, stream);
    output.write(lzma.HEAPU8.subarray(to, to + OUTPUT - fields.getUint32(STREAM.availOut, true)));
    if (code === STREAM_END) input.position -= fields.getUint32(STREAM.availIn, true);
    else if (code !== OK) throw new ImageError(problem(code));
  }
}

/** Whether another stream follows, perhaps behind zeros in fours; the position is then its. */
async function isBeforeStream(input: Input): Promise<boolean> {
  const end = input.position;
  while (input.left > 0) {
    const bytes = input.next();
    const data = bytes.findIndex((byte) => byte !== 0);
    if (data >= 0) {
      input.position += data - bytes.length;
      if ((input.position - end) % 4 === 0 && bytes[data] === 0xfd) return true;
      break;
    }
    await input.yieldToEventLoop();
  }
  input.position = end;
  return false;
}

/** Decompresses xz streams, as many as there are. Source: The .xz File Format, sections 2.1 and 2.2. */
export async function unxz(input: Input, output: Sink): Promise<void> {
  do await unlzma(input, output); while (await isBeforeStream(input));
}
