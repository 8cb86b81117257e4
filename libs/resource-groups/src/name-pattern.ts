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
 * Reads a regular expression in RE2's syntax, which covers Java's but for look-around, back references and possessive
 * quantifiers. Throws an error that says what is wrong.
 */
export function compileNamePattern(text: string): NamePattern {
  const compiled = RE2JS.compile(text);
  const groupNames = Object.keys(compiled.namedGroups());
  return {
    text,
    groupNames,
    matches: (name) => compiled.testExact(name),
    groups: (name) => {
      const groups = new Map<string, string>();
      const matcher = compiled.matcher(name);
      if (groupNames.length === 0 || !matcher.matches()) return groups;
      for (const group of groupNames) {
        const value = matcher.group(group);
        if (value !== null) groups.set(group, value);
      }
      return groups;
    },
  };
}
