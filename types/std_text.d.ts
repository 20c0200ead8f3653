/** Types of the functions that vzrun uses of the standard library's text, whose npm package has none. */

declare module "@std/text/closest-string" {
  /** The candidate that is most like a word. */
  export function closestString(word: string, candidates: readonly string[]): string;
}

declare module "@std/text/levenshtein-distance" {
  /** How many letters have to be changed to make one word of another. */
  export function levenshteinDistance(a: string, b: string): number;
}
