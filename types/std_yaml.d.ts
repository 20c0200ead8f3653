/** Types of the function that vzrun uses of the standard library's YAML, whose npm package has none. */

declare module "@std/yaml/parse" {
  /** The value of a text of YAML. @throws {SyntaxError} Which says where. */
  export function parse(text: string, options?: { allowDuplicateKeys?: boolean }): unknown;
}
