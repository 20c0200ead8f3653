/** What is wrong with a machine, as data: a front end puts it into its own words. */

import { FileError, isSystemError, reasonOf } from "../host/error.ts";
import { ImageError } from "../images/error.ts";
import { NSError } from "../objc/mod.ts";
import { describeError } from "../vz/mod.ts";

/** A field that a text names, and perhaps a value of it, for a front end's own word: `size`, `readonly=on`. */
export class Setting {
  /** Names a field and, perhaps, its value. */
  constructor(readonly name: string, readonly value?: string | boolean) {}

  /** As {@linkcode Machine} has it: `readOnly: true`. */
  toString(): string {
    return this.value === undefined ? this.name : `${this.name}: ${JSON.stringify(this.value)}`;
  }
}

/** A text that may name settings. */
export type Text = string | readonly (string | Setting)[];

/** Firmware that has ended a machine, because none of its disks and CDs has anything to boot. */
export class NothingToBootError extends Error {
  /** By which it is told apart. */
  override name = "NothingToBootError";
  /** Of this computer's processor. */
  constructor() {
    const of = `is there a boot loader for EFI on ${Deno.build.arch} on the disk or CD?`;
    super(`the firmware found nothing to boot: ${of}`);
  }
}

/** A text with its settings in a front end's words; by default in those of a Machine. */
export function wordText(text: Text, word: (setting: Setting) => string = String): string {
  if (typeof text === "string") return text;
  return text.map((part) => typeof part === "string" ? part : word(part)).join("");
}

/** A part of a machine that is not fit: what it is about, why, and what to do. */
export class MachineError extends Error {
  /** By which it is told apart. */
  override name = "MachineError";
  /** What it is about: `disks[1].file`; undefined when it is no single field. */
  readonly field?: string;
  /** Why, and of which file. */
  readonly reason: Text;
  /** What to do. */
  readonly remedy?: Text;

  /** Of a reason, and what goes with it. */
  constructor(
    reason: Text,
    { field, remedy, cause }: { field?: string; remedy?: Text; cause?: unknown } = {},
  ) {
    super("", { cause });
    [this.field, this.reason, this.remedy] = [field, reason, remedy];
    this.message = (field === undefined ? "" : `${field}: `) + this.worded();
  }

  /** Reason and remedy, without the field. */
  worded(word?: (setting: Setting) => string): string {
    const reason = wordText(this.reason, word);
    return this.remedy === undefined ? reason : `${reason} (${wordText(this.remedy, word)})`;
  }
}

/**
 * What an error says about a field, as a MachineError when a file, an image, the system or the framework says it; any
 * other error as it is.
 *
 * @param what What was to be done, and with which file.
 */
export function toMachineError(field: string | undefined, what: string, error: unknown): unknown {
  if (error instanceof FileError) return new MachineError(error.message, { field, cause: error });
  const reason = error instanceof ImageError
    ? error.message
    : error instanceof NSError
    ? error.cause ? describeError(error) : error.reason ?? error.message
    : isSystemError(error)
    ? reasonOf(error)
    : undefined;
  return reason === undefined
    ? error
    : new MachineError(what === "" ? reason : `${what}: ${reason}`, { field, cause: error });
}

/** Does something for a field; what is refused becomes a MachineError, see {@linkcode toMachineError}. */
export function refusable<T>(field: string | undefined, what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw toMachineError(field, what, error);
  }
}

/** As {@linkcode refusable}, of what takes its time. */
export async function refusableLater<T>(
  field: string | undefined,
  what: string,
  action: () => Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw toMachineError(field, what, error);
  }
}
