import { type Argument, completion, type DispatchQueue, NSError, NSObject } from "../objc/mod.ts";
import type {
  Arguments,
  ClassName,
  Completed,
  CompletingSelector,
  LeadingArguments,
  Returned,
  Selector,
} from "./selectors.ts";
import type { VZClass } from "./vz_object.ts";

/** An object that belongs on a dispatch queue, which gets every message for it: a running machine, its devices. */
export abstract class QueueObject<C extends ClassName> {
  /** The class that is wrapped. */
  static readonly api: VZClass<ClassName>;

  /** @param object An object of the framework's; others of the queue may carry it in their messages. */
  constructor(protected readonly queue: DispatchQueue, readonly object: NSObject) {}

  /**
   * Sends a message on the queue.
   *
   * @throws {NSError} When the method ends in `error:` and fails.
   * @throws {UnavailableError} When the method needs a newer macOS.
   */
  protected async call<S extends Selector<C>>(
    selector: S,
    ...args: Arguments<C, S>
  ): Promise<Returned<C, S>> {
    this.#class.requireMethod(selector);
    return await this.queue.call(this.object, selector, ...args as Argument[]) as Returned<C, S>;
  }

  /**
   * Sends a message that ends in a completion handler, and waits for both.
   *
   * @param args Without the handler: an `^(NSError *)`, or an `^(Object *, NSError *)`, whose object is returned.
   * @throws {NSError} When the handler is called with an error.
   * @throws {UnavailableError} When the method needs a newer macOS.
   */
  protected async complete<S extends CompletingSelector<C>>(
    selector: S,
    ...args: LeadingArguments<C, S>
  ): Promise<Completed<C, S>> {
    this.#class.requireMethod(selector);
    const { block, called } = completion(this.#class.completesWithObject(selector) ? "v@?@@" : "v@?@");
    try {
      await this.queue.call(this.object, selector, ...args as Argument[], block);
    } catch (error) {
      block.unref(); // nothing will call it
      throw error;
    }
    const results = await called;
    const error = results.pop();
    if (error instanceof NSObject) throw NSError.from(error);
    return results[0] as Completed<C, S>;
  }

  get #class(): VZClass<C> {
    return (this.constructor as typeof QueueObject).api as VZClass<C>;
  }
}
