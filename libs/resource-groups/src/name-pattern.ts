import { RE2JS } from 're2js';

/** A regular expression that is held against whole names. Takes linear time whatever the expression and the name. */
export interface NamePattern {
  readonly text: string;
  /** The names of its groups, "(?<team>...)", in the order of the expression. */
  readonly groupNames: readonly string[];
  matches(name: string): boolean;
  /** What its named groups took of a name that matches; a group that took no part is left out. */
  groups(name: string): ReadonlyMap<string, string>;
}

/**
 * Reads a regular expression of Java with RE2, which knows most of its syntax. What RE2 does not know, or reads in
 * another way than Java, is a problem, so that no expression changes its meaning.
 */
export function compileNamePattern(text: string): { readonly ok: NamePattern } | { readonly problem: string } {
  if (SURELY_RIGHT.test(text)) return { ok: new CompiledPattern(text, []) };
  const different = readDifferently(text);
  if (different !== undefined) return { problem: different };
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { problem: unknownSyntax(text) ?? `no regular expression: ${reason}` };
  }
  const groupNames = Object.keys(compiled.namedGroups());
  const wrong = groupNames.find((name) => !/^[A-Za-z][A-Za-z0-9]*$/.test(name));
  if (wrong === undefined) return { ok: new CompiledPattern(text, groupNames, compiled) };
  return { problem: `the name of a group is letters and digits and begins with a letter, was "${wrong}"` };
}

/** Names with "anything" in them and alternatives of such: nearly all that files hold. */
const SURELY_RIGHT = /^(?:\(\?i\))?(?:[\w@:#/ ,-]|\\\.|\.\*?|\|)*$/;

class CompiledPattern implements NamePattern {
  constructor(
    readonly text: string,
    readonly groupNames: readonly string[],
    /** Compiled at the first use where that cannot fail: a file with thousands of expressions is read at once. */
    private compiled?: RE2JS,
  ) {}

  matches(name: string): boolean {
    return this.regexp.testExact(name);
  }

  groups(name: string): ReadonlyMap<string, string> {
    const groups = new Map<string, string>();
    if (this.groupNames.length === 0) return groups;
    const matcher = this.regexp.matcher(name);
    if (!matcher.matches()) return groups;
    for (const group of this.groupNames) {
      const value = matcher.group(group);
      if (value !== null) groups.set(group, value);
    }
    return groups;
  }

  private get regexp(): RE2JS {
    return (this.compiled ??= RE2JS.compile(this.text));
  }
}

/** What Java has and RE2 has not, since it cannot be matched in linear time or without backtracking. */
const UNKNOWN: readonly (readonly [RegExp, string])[] = [
  [/\(\?<?[=!]/, 'look-around'],
  [/\(\?>/, 'an atomic group'],
  [/\\[1-9]|\\k</, 'a back reference'],
  [/[*+?}]\+/, 'a possessive quantifier'],
];

function unknownSyntax(text: string): string | undefined {
  // A backslash takes the meaning from what follows it, but for digits and k.
  const bare = text.replace(/\\[^1-9k]/g, '');
  const found = UNKNOWN.find(([syntax]) => syntax.test(bare));
  if (found === undefined) return undefined;
  const [syntax, name] = found;
  return `${name}, "${syntax.exec(bare)?.[0] ?? ''}", is not supported: it cannot be matched in linear time (RE2)`;
}

/** Sets in sets: Java joins or cuts them, RE2 takes the signs as letters. */
function readDifferently(text: string): string | undefined {
  let isInSet = false;
  for (let index = 0; index < text.length; index++) {
    const [letter, next] = [text[index], text[index + 1]];
    if (letter === '\\' && next === 'Q') {
      const end = text.indexOf('\\E', index);
      index = end < 0 ? text.length : end + 1;
    } else if (letter === '\\') index++;
    else if (!isInSet) {
      isInSet = letter === '[';
      // A bracket that stands first is a letter in both.
      if (isInSet && next === '^') index++;
      if (isInSet && text[index + 1] === ']') index++;
    } else if (letter === ']') isInSet = false;
    else if (letter === '[' && next === ':') index = Math.max(index, text.indexOf(':]', index) + 1);
    else if (letter === '[' || (letter === '&' && next === '&')) {
      return 'a set inside a set, such as [a-z&&[^x]], is not supported; write one set';
    }
  }
  return undefined;
}
