/** Completions for shells, made from the table of options. */

import { type Option, OPTIONS } from "./options.ts";
import type { Shell } from "./settings.ts";

/**
 * What the words of an option's value can be, as the scripts' functions want it: `stdio`, `file:FILE` where a path
 * follows, `FILE` and `DIR` alone. Nothing for what a user has to think of.
 */
export function valuesOf({ value = "", words }: Option): string[][] {
  const required = value.replace(/\[[^\]]*\]/g, "");
  const parts = words === 2 ? required.split(" ") : [required];
  return parts.map((part) =>
    part.split("|").flatMap((alternative) => {
      const path = /^([^A-Z]*)(FILE|PATH|DIR)/.exec(alternative);
      if (path) return `${path[1]}${path[2] === "DIR" ? "DIR" : "FILE"}`;
      return /^[^A-Z]+/.exec(alternative) ?? [];
    })
  );
}

const dashed = ({ names }: Option) => names.map((name) => `-${name}`);
/** Options after which something has to follow. */
const withValue = OPTIONS.filter(({ value, words }) => value !== undefined && words !== "optional");

function bash(): string {
  const cases = withValue.map((option) =>
    `\t${dashed(option).join(" | ")}) values='${valuesOf(option)[0].join(" ")}' ;;`
  );
  const seconds = withValue.filter(({ words }) => words === 2).map((option) =>
    `\t${dashed(option).join(" | ")}) values='${valuesOf(option)[1].join(" ")}' ;;`
  );
  return `# Completions of vzrun for bash: source <(vzrun -completions bash)

_vzrun_option() {
	case $1 in
${cases.join("\n")}
	*) return 1 ;;
	esac
}

_vzrun_second() {
	case $1 in
${seconds.join("\n")}
	*) return 1 ;;
	esac
}

_vzrun() {
	# Bash cuts words at = and :, which are in the middle of ours; the last piece is $2.
	local line=\${COMP_LINE:0:COMP_POINT} second before kept value values prefix path
	local word='^(([^[:space:]\\\\"'\\'']|\\\\.|"[^"]*"|'\\''[^'\\'']*'\\'')*)[[:space:]]+'
	while [[ $line =~ $word ]]; do
		second=$before before=\${BASH_REMATCH[1]} line=\${line:\${#BASH_REMATCH}}
	done
	kept=\${line%"$2"}
	word=\${line//[\\\\\\"\\']/} kept=\${kept//[\\\\\\"\\']/}
	COMPREPLY=()
	local option=\${word%%=*}
	if [[ $word == -*=* ]] && _vzrun_option "\${option/#--/-}"; then
		word=\${word#*=} kept=\${kept#*=}
	elif ! _vzrun_option "\${before/#--/-}" && ! _vzrun_second "\${second/#--/-}"; then
		local dashes=-
		[[ $word != --* ]] || dashes=--
		for value in ${OPTIONS.flatMap(({ names }) => names).join(" ")}; do
			[[ $dashes$value != "$word"* ]] || COMPREPLY+=("$dashes$value")
		done
		return
	fi
	for value in $values; do
		prefix=\${value%FILE}
		prefix=\${prefix%DIR}
		if [[ $prefix == "$value" ]]; then
			[[ $value != "$word"* ]] || COMPREPLY+=("$value")
		elif [[ $word == "$prefix"* ]]; then
			compopt -o filenames 2>/dev/null # macOS's bash has none
			local kind=-f
			[[ $value != *DIR ]] || kind=-d
			while read -r path; do COMPREPLY+=("$prefix$path"); done < <(compgen $kind -- "\${word#"$prefix"}")
		elif [[ $prefix == "$word"* ]]; then
			compopt -o nospace 2>/dev/null
			COMPREPLY+=("$prefix")
		fi
	done
	COMPREPLY=("\${COMPREPLY[@]#"$kept"}")
}

complete -F _vzrun vzrun
`;
}

/** Text between single quotes, for zsh and fish. */
const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;

function zsh(): string {
  const lines = OPTIONS.map((option) => {
    const names = dashed(option);
    const others = option.several ? "*" : `(${names.join(" ")})`;
    const help = `[${option.help.replace(/[[\]\\:]/g, "\\$&")}]`;
    const optional = option.words === "optional" ? ":" : "";
    const parts = option.value === undefined ? [] : valuesOf(option);
    // After a blank _arguments calls the function as it is; else it puts compadd's options before the words.
    const values = parts.map((part) =>
      `${optional}:value: _vzrun_values ${part.join(" ").replaceAll(":", "\\:")}`
    );
    return names.map((name) => `    ${quoted(`${others}${name}${help}${values.join("")}`)}`).join(" \\\n");
  });
  return `#compdef vzrun
# Completions of vzrun for zsh: source <(vzrun -completions zsh)

_vzrun_values() {
  local value prefix
  for value; do
    prefix=\${\${value%FILE}%DIR}
    if [[ $prefix == $value ]]; then
      compadd -- $value
    elif [[ -z $prefix ]] || compset -P "\${(b)prefix}"; then
      if [[ $value == *DIR ]]; then _files -/; else _files; fi
      return
    else
      compadd -S '' -- $prefix
    fi
  done
}

_vzrun() {
  words=("\${words[@]/#--/-}")
  [[ $PREFIX != --* ]] || compset -P -
  if [[ $PREFIX == -*=* ]]; then
    words[CURRENT]=("\${words[CURRENT]%%=*}" "\${words[CURRENT]#*=}")
    ((++CURRENT))
    compset -P 1 '*='
  fi
  _arguments \\
${lines.join(" \\\n")}
}

if [[ $funcstack[1] == _vzrun ]]; then _vzrun "$@"; else compdef _vzrun vzrun; fi
`;
}

function fish(): string {
  const lines = OPTIONS.map((option) => {
    // After -s k fish would read -kern as -k with the value "ern".
    const names = option.names.map((name) => `-o ${name} -l ${name}`);
    const [first] = valuesOf(option);
    const takes = option.value === undefined || option.words === "optional"
      ? ""
      : first.join() === "FILE"
      ? " -r -F"
      : ` -x -a '(__vzrun_values ${first.join(" ")})'`;
    return `complete -c vzrun ${names.join(" ")}${takes} -d ${quoted(option.help)}`;
  });
  const seconds = withValue.filter(({ words }) => words === 2).map((option) =>
    `complete -c vzrun -n '__vzrun_second ${option.names.join(" ")}' -x -a '(__vzrun_values ${
      valuesOf(option)[1].join(" ")
    })'`
  );
  return `# Completions of vzrun for fish: vzrun -completions fish | source

function __vzrun_values
    set -l word (commandline -ct | string unescape | string replace -r -- '^--?[a-z-]+=' '')
    for value in $argv
        set -l prefix (string replace -r '(FILE|DIR)$' '' -- $value)
        if test "$prefix" = "$value"
            echo -- $value
        else if string match -q -- "$prefix*" "$word"
            set -l rest (string sub -s (math (string length -- "$prefix") + 1) -- "$word")
            if string match -q '*DIR' -- $value
                __fish_complete_directories (string escape -n -- "$rest") | string replace -r '^' -- "$prefix"
            else
                __fish_complete_path "$rest" | string replace -r '^' -- "$prefix"
            end
        else
            echo -- $prefix
        end
    end
end

function __vzrun_second
    set -l words (commandline -opc)
    test (count $words) -ge 3 && contains -- (string replace -r '^--?' '' -- $words[-2]) $argv
end

complete -c vzrun -f
${[...lines, ...seconds].join("\n")}
`;
}

/** The script that a shell reads. */
export function completions(shell: Shell): string {
  return { bash, zsh, fish }[shell]();
}
