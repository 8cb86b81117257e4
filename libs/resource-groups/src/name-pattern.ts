import { RE2JS } from 're2js';
import { translateJavaPattern } from './java-pattern.js';

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
  const translated = translateJavaPattern(text);
  if ('problem' in translated) return translated;
  let compiled: RE2JS;
  try {
    compiled = RE2JS.compile(translated.ok);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { problem: /invalid repeat count/.test(reason) ? TOO_MANY : `no regular expression: ${reason}` };
  }
  const groupNames = Object.keys(compiled.namedGroups());
  const wrong = groupNames.find((name) => !/^[A-Za-z][A-Za-z0-9]*$/.test(name));
  if (wrong === undefined) return { ok: new CompiledPattern(text, groupNames, compiled) };
  return { problem: `the name of a group is letters and digits and begins with a letter, was "${wrong}"` };
}

const TOO_MANY = 'a repetition of more than 1000 is not supported; one inside another is multiplied with it (RE2)';

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
