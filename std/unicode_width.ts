/**
 * `@std/cli/unicode-width`, as deno.json names it while the standard library comes from npm: the module that is there
 * lacks its table of widths. It goes when deno.json says `jsr:`.
 */

/** What takes no column: controls, marks above and below letters, joiners, vowels that go into a Hangul syllable. */
const NO_COLUMN = /[\p{Cc}\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}\u1160-\u11ff]/u;

// Unicode's East_Asian_Width, wide and full-width, of what is assigned in Unicode 17. A flag is two letters of one column.
const TWO_COLUMNS =
  /(?!\p{Regional_Indicator})[\p{Emoji_Presentation}\u1100-\u115f\u2329\u232a\u2630-\u2637\u268a-\u268f\u2e80-\u303e\u3041-\u3247\u3250-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18dff}\u{1aff0}-\u{1b2ff}\u{1d300}-\u{1d376}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]/u;

/** The columns that a text takes on a terminal. */
export function unicodeWidth(str: string): number {
  let width = 0;
  for (const char of str) width += NO_COLUMN.test(char) ? 0 : TWO_COLUMNS.test(char) ? 2 : 1;
  return width;
}
