import { UsageError } from "./usage_error.ts";

/**
 * Reads qemu's `key=value,key=value`; a comma in a value is written twice, as there.
 *
 * @throws {UsageError} For a key that is not among `keys`, twice there, or without a value.
 */
export function parseKeyValues<K extends string>(
  text: string,
  keys: readonly K[],
): Partial<Record<K, string>> {
  const result: Partial<Record<K, string>> = {};
  if (text === "") return result;
  // No argument holds a zero: it stands for a comma in a value while the others separate.
  for (const part of text.replaceAll(",,", "\0").split(",").map((part) => part.replaceAll("\0", ","))) {
    const [, key, value] = /^([^=]*)=(.*)$/s.exec(part) ?? [];
    if (key === undefined) throw new UsageError(`'${part}' is not key=value; known are ${keys.join(", ")}`);
    if (!(keys as readonly string[]).includes(key)) {
      throw new UsageError(`unknown '${key}='; known are ${keys.join(", ")}`);
    }
    if (Object.hasOwn(result, key)) throw new UsageError(`${key}= is given twice`);
    result[key as K] = value;
  }
  return result;
}
