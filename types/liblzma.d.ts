/** Types of what vzrun uses of node-liblzma's WebAssembly module: liblzma's own functions, and pointers into its memory. */

export interface Liblzma {
  /** Its memory; another one after it has grown. */
  HEAPU8: Uint8Array<ArrayBuffer>;
  _malloc(size: number): number;
  _lzma_auto_decoder(stream: number, memlimit: bigint, flags: number): number;
  _lzma_code(stream: number, action: number): number;
}

export default function createLiblzma(options: {
  instantiateWasm(
    imports: WebAssembly.Imports,
    done: (instance: WebAssembly.Instance) => void,
  ): WebAssembly.Exports;
}): Promise<Liblzma>;
