/** What every wrapper of a Virtualization class leans on: its class as Apple has it, and messages with its types. */

import {
  type Argument,
  Class,
  completion,
  type DispatchQueue,
  NSError,
  NSObject,
  openFramework,
} from "../objc/mod.ts";
import "../host/libraries.ts"; // says where Virtualization is
import { API } from "./api.ts";
import { requireMacOS } from "./availability.ts";
import type { Arguments, ClassName, Newer, Returned, Selector } from "./selectors.ts";

/** A class of Virtualization. */
export class VZClass<C extends ClassName> {
  /** Its first macOS version, `11.0`. */
  readonly macOS: string;
  readonly #newer: Readonly<Record<string, string>>;
  readonly #table: Readonly<Record<string, string>>;

  /**
   * @param what What it is called in messages: "NVMe".
   * @param newer What its methods do that came later than it does, by selector.
   */
  constructor(
    readonly name: C,
    readonly what: string,
    ...newer: keyof Newer<C> extends never ? [] : [Newer<C>]
  ) {
    this.#table = API[name];
    this.macOS = this.#table.macOS;
    this.#newer = newer[0] ?? {};
  }

  /** First macOS, result and arguments of a method; none of one that is not Virtualization's own. */
  #typesOf(selector: string): string[] {
    return (this.#table[`-${selector}`] ?? this.#table[`+${selector}`])?.split(" ") ?? [];
  }

  /** Checks that macOS has it. @throws {UnavailableError} When it has not. */
  require(): void {
    if (this.macOS !== "11.0") requireMacOS(this.what, this.macOS); // no older one has Virtualization
  }

  /** Whether macOS has it. */
  get isAvailable(): boolean {
    try {
      this.require();
      return true;
    } catch {
      return false;
    }
  }

  /** Checks that macOS has a method of it. @throws {UnavailableError} When it has not. */
  requireMethod(selector: string): void {
    const macOS = this.#typesOf(selector)[0] ?? this.macOS;
    if (macOS !== this.macOS) requireMacOS(this.#newer[selector], macOS);
  }

  /** Whether a method's completion handler gets an object: `^(Object *, NSError *)`. */
  completesWithObject(selector: string): boolean {
    return this.#typesOf(selector).at(-1) === "@?<v;@,@>";
  }

  #class(selector: string): Class {
    openFramework("Virtualization");
    this.require();
    this.requireMethod(selector);
    return Class.named(this.name);
  }

  /** Sends a message to the class. @throws {UnavailableError} When it or the method needs a newer macOS. */
  send<S extends Selector<C, "+">>(selector: S, ...args: Arguments<C, S, "+">): Returned<C, S, "+"> {
    return this.#class(selector).send(selector, ...args as Argument[]) as Returned<C, S, "+">;
  }

  /**
   * Sends the class a message whose only argument is a completion handler, an `^(NSError *)`, and waits for that.
   *
   * @throws {NSError} When it is called with an error.
   * @throws {UnavailableError} When the class or the method needs a newer macOS.
   */
  async complete(selector: Selector<C, "+">): Promise<void> {
    const receiver = this.#class(selector);
    const { block, called } = completion("v@?@");
    try {
      receiver.send(selector, block);
    } catch (error) {
      block.unref(); // nothing will call it
      throw error;
    }
    const [error] = await called;
    if (error instanceof NSObject) throw NSError.from(error);
  }

  /**
   * Makes an instance.
   *
   * @throws {UnavailableError} When the class or the initializer needs a newer macOS.
   * @throws {TypeError} When the initializer gives nil without saying why.
   */
  create<S extends Selector<C>>(initializer: S, ...args: Arguments<C, S>): NSObject {
    return this.#class(initializer).create(initializer, ...args as Argument[]);
  }

  /** As {@linkcode create}, but null where the initializer gives nil. */
  tryCreate<S extends Selector<C>>(initializer: S, ...args: Arguments<C, S>): NSObject | null {
    const object = this.#class(initializer).send("alloc") as NSObject;
    return object.send(initializer, ...args as Argument[]) as NSObject | null;
  }

  /** As {@linkcode create}, on a queue. */
  createOn<S extends Selector<C>>(
    queue: DispatchQueue,
    initializer: S,
    ...args: Arguments<C, S>
  ): Promise<NSObject> {
    return queue.make(this.#class(initializer).toString(), initializer, ...args as Argument[]);
  }
}

/** An object of a Virtualization class. */
export abstract class VZObject<C extends ClassName = ClassName> extends NSObject {
  /** The class that is wrapped. */
  static readonly api: VZClass<ClassName>;

  /** @throws {UnavailableError} When the method needs a newer macOS. */
  override send<S extends Selector<C>>(selector: S, ...args: Arguments<C, S>): Returned<C, S> {
    (this.constructor as typeof VZObject).api.requireMethod(selector);
    return super.send(selector, ...args as Argument[]) as Returned<C, S>;
  }
}
