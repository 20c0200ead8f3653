/** What every wrapper of a Virtualization class has: its name, and the first macOS that has it. */

import { type Argument, Class, NSObject, openFramework, type Result } from "../objc/mod.ts";
import "../host/libraries.ts"; // says where Virtualization is
import { macOSVersion } from "../host/system.ts";

/** A class of Virtualization: facts beside the code that leans on them, compared with Apple's by the tests. */
export interface Api {
  class: string;
  /** What it is called in messages: "NVMe". */
  what: string;
  /** First macOS version, `11.0`. */
  macOS: string;
  /** Methods that came later, by selector: what they do, and the first macOS version. */
  newer?: Readonly<Record<string, readonly [what: string, macOS: string]>>;
}

/** Something that this macOS is too old for. */
export class UnavailableError extends Error {
  override name = "UnavailableError";
}

function parts(version: string): number[] {
  return version.split(".").map(Number);
}

/**
 * Checks that macOS is new enough.
 *
 * @param what What needs it, as a message names it.
 * @param first The first version that has it: `14.0`.
 * @param current The version that is running.
 * @throws {UnavailableError} `NVMe needs macOS 14 (this is 13.6)`
 */
export function requireMacOS(what: string, first: string, current: string = macOSVersion()): void {
  const [wanted, running] = [parts(first), parts(current)];
  for (let i = 0; i < wanted.length; i++) {
    const [a, b] = [wanted[i], running[i] ?? 0];
    if (b > a) return;
    if (b < a) {
      throw new UnavailableError(`${what} needs macOS ${first.replace(/\.0$/, "")} (this is ${current})`);
    }
  }
}

/**
 * Makes an instance of a class.
 *
 * @throws {UnavailableError} On a macOS that does not have the class.
 */
export function make(api: Api, initializer = "init", ...args: Argument[]): NSObject {
  requireMethod(api, initializer);
  return vzClass(api).create(initializer, ...args);
}

/**
 * The class, for its class methods.
 *
 * @throws {UnavailableError} On a macOS that does not have it.
 */
export function vzClass(api: Api): Class {
  openFramework("Virtualization"); // which is there since macOS 11
  if (api.macOS !== "11.0") requireMacOS(api.what, api.macOS);
  return Class.named(api.class);
}

/** Checks that macOS has a method of a class that may be newer than the class. */
export function requireMethod(api: Api, selector: string): void {
  const newer = api.newer?.[selector];
  if (newer) requireMacOS(...newer);
}

/** An object of a Virtualization class. */
export abstract class VZObject extends NSObject {
  /** The class that is wrapped. */
  static readonly api: Api;

  /** @throws {UnavailableError} When the method needs a newer macOS. */
  override send(selector: string, ...args: Argument[]): Result {
    requireMethod((this.constructor as typeof VZObject).api, selector);
    return super.send(selector, ...args);
  }
}
