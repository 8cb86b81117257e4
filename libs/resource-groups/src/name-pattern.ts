import { RE2JS } from 're2js';

/** A regular expression that is held against whole names. Takes linear time whatever the expression and the name. */
export interface NamePattern {
  readonly text: string;
  matches(name: string): boolean;
}

/** Reads a regular expression in RE2's syntax, which covers Java's but for look-around and back references. */
export function compileNamePattern(text: string): NamePattern {
  const compiled = RE2JS.compile(text);
  return { text, matches: (name) => compiled.matches(name) };
}
