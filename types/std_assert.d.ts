/** Types of the functions that the tests use of the standard library's assert, whose npm package has none. */

declare module "@std/assert" {
  /** Fails when a condition does not hold. */
  export function assert(condition: unknown, message?: string): asserts condition;
  /** Fails when two values are not equal, all that is in them included. */
  export function assertEquals<T>(actual: T, expected: T, message?: string): void;
  /** Fails when two values are equal. */
  export function assertNotEquals<T>(actual: T, expected: T, message?: string): void;
  /** Fails when a value is not greater than another. */
  export function assertGreater<T>(actual: T, expected: T, message?: string): void;
  /** Fails when a value is not less than another. */
  export function assertLess<T>(actual: T, expected: T, message?: string): void;
  /** Fails when a value has not all that another has, or has it otherwise. */
  export function assertObjectMatch(
    actual: Record<string, unknown>,
    expected: Record<string, unknown>,
    message?: string,
  ): void;
  /** Fails when a text does not match. */
  export function assertMatch(actual: string, expected: RegExp, message?: string): void;
  /** Fails when a text matches. */
  export function assertNotMatch(actual: string, expected: RegExp, message?: string): void;
  /** Fails when a text is not in another. */
  export function assertStringIncludes(actual: string, expected: string, message?: string): void;
  /** Fails when a value is of another class. */
  export function assertInstanceOf<T extends abstract new (...args: never[]) => unknown>(
    actual: unknown,
    type: T,
    message?: string,
  ): asserts actual is InstanceType<T>;
  /** Fails when a function throws nothing, or another error; returns the error. */
  export function assertThrows<E extends Error = Error>(
    body: () => unknown,
    type?: new (...args: never[]) => E,
    includes?: string,
    message?: string,
  ): E;
  /** Fails when a promise is kept, or broken by another error; returns the error. */
  export function assertRejects<E extends Error = Error>(
    body: () => PromiseLike<unknown>,
    type?: new (...args: never[]) => E,
    includes?: string,
    message?: string,
  ): Promise<E>;
  /** Fails. */
  export function fail(message?: string): never;
}
