/** Programs of tests/linux/programs in Objective-C, as a client of linux/ compiles its own. */

import { assertEquals } from "@std/assert";
import { ended } from "../objc/child.ts";
import { projectFile } from "./files.ts";

/** A compiled program, gone at the end of the block. */
export class NativeProgram implements Disposable {
  readonly #folder = Deno.makeTempDirSync();
  readonly path = `${this.#folder}/program`;

  /** Compiles one. @param flags What it is linked with: the library, that and windows, or nothing but what is said. */
  static async compile(source: string, flags: string, compiler = "clang"): Promise<NativeProgram> {
    const program = new NativeProgram();
    const make = `make -s -C '${projectFile("linux")}'`;
    const path = projectFile(`tests/linux/programs/${source}`);
    const ours = flags.endsWith("ldflags") ? [`$(${make} cflags)`, `$(${make} ${flags})`] : ["", flags];
    const command = `eval "${compiler} ${ours[0]} '${path}' -o '${program.path}' ${ours[1]}"`;
    try {
      assertEquals(await ended(["sh", "-c", command]), { code: 0, signal: null, stdout: "", stderr: "" });
    } catch (error) {
      program[Symbol.dispose]();
      throw error;
    }
    return program;
  }

  /** A file beside it. */
  file(name: string): string {
    return `${this.#folder}/${name}`;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }
}
