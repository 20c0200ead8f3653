/**
 * `@std/cli/unicode-width`, as deno.json names it while the standard library comes from npm: the module that is there
 * lacks its table of widths. It goes when deno.json says `jsr:`.
 */

import { eastAsianWidth } from "get-east-asian-width";

/** What takes no column: controls, marks above and below letters, joiners, vowels that go into a Hangul syllable. */
const NO_COLUMN = /[\p{Cc}\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}\u1160-\u11ff]/u;

/** The columns that a text takes on a terminal. */
export function unicodeWidth(str: string): number {
  let width = 0;
  for (const char of str) width += NO_COLUMN.test(char) ? 0 : eastAsianWidth(char.codePointAt(0)!);
  return width;
}
