/** Types of the functions that vzrun uses of the standard library's text, whose npm package has none. */

export function closestString(word: string, candidates: readonly string[]): string;
export function levenshteinDistance(a: string, b: string): number;
