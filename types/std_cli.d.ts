/** Types of the functions that are used of the standard library's cli, whose npm package has none. */

declare module "@std/cli/parse-args" {
  /** What is to be expected in a command line: those of the library's options that are used. */
  export interface ParseOptions<TBooleans extends string, TStrings extends string> {
    /** Names of options without a value. */
    boolean?: readonly TBooleans[];
    /** Names of options with one, which is left as it is; `_` for the words that are no options. */
    string?: readonly TStrings[];
    /** Told of each word and of each option that was not named above; false keeps it out of the result. */
    unknown?: (arg: string, key?: string, value?: unknown) => unknown;
  }
  /** What a command line has: its words in `_`, an option's value under its name. */
  export type Args<TBooleans extends string, TStrings extends string> =
    & { _: (string | number)[] }
    & { [K in TBooleans]: boolean }
    & { [K in Exclude<TStrings, "_">]?: string };
  /** Reads `--name value`, `--name=value` and `--name`; what comes after `--` is words. */
  export function parseArgs<TBooleans extends string = never, TStrings extends string = never>(
    args: string[],
    options?: ParseOptions<TBooleans, TStrings>,
  ): Args<TBooleans, TStrings>;
}
