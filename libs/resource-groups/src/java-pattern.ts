// From regular expressions of Java to those of RE2.
//   JP1. What both know, under whatever name, means the same afterwards.
//   JP2. What Java refuses, reads in another way than RE2, or knows alone, is refused here, with its name.
//   JP3. What is plainly wrong in both is left to RE2, which says it better.
import { unicodeClass } from './java-character-class.js';

/** The expression for RE2, or what keeps it from being one. */
export type TranslatedPattern = { readonly ok: string } | { readonly problem: string };

/** Translates an expression; the problem says what cannot be, and what to write instead where there is something. */
export function translateJavaPattern(text: string): TranslatedPattern {
  const reader = new JavaPattern(text);
  const problem = reader.read();
  return problem === undefined ? { ok: reader.translated } : { problem };
}

const BACKTRACKING = 'is not supported: it cannot be matched in linear time (RE2)';

class JavaPattern {
  translated = '';
  private index = 0;
  private isInSet = false;

  constructor(private readonly text: string) {}

  /** What cannot be translated; undefined when all is. */
  read(): string | undefined {
    while (this.index < this.text.length) {
      const problem = this.part();
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  /** Each part either takes something of the text or is a problem. */
  private part(): string | undefined {
    const sign = this.text[this.index];
    if (sign === '\\') return this.escape();
    if (this.isInSet) return this.inSet(sign);
    if (sign === '[') return this.openSet();
    if (sign === '(') return this.openGroup();
    if (sign === '{' || sign === '*' || sign === '+' || sign === '?') return this.quantifier();
    return this.take(1);
  }

  private openSet(): undefined {
    this.isInSet = true;
    // A bracket that stands first is a letter in both.
    this.take(/^\[\^?\]?/.exec(this.rest)?.[0].length ?? 1);
  }

  /** Sets in sets: Java joins or cuts them, RE2 takes the signs as letters or as a class of POSIX. */
  private inSet(sign: string | undefined): string | undefined {
    const posix = /^\[:\^?(\w+):\]/.exec(this.rest)?.[0];
    if (posix !== undefined) {
      return `a class of POSIX, "${posix}", is not supported: for Java it is a set of its letters; write \\p{Alpha} and the like`;
    }
    if (sign === '[' || this.rest.startsWith('&&')) {
      return 'a set inside a set, such as [a-z&&[^x]], is not supported; write one set';
    }
    this.isInSet = sign !== ']';
    return this.take(1);
  }

  private openGroup(): string | undefined {
    const { rest } = this;
    const lookAround = /^\(\?<?[=!]/.exec(rest)?.[0];
    if (lookAround !== undefined) return `look-around, "${lookAround}", ${BACKTRACKING}`;
    if (rest.startsWith('(?>')) return `an atomic group, "(?>", ${BACKTRACKING}`;
    if (rest.startsWith('(?P')) return 'a group of Python, "(?P", is not supported: write (?<name>...), as in Java';
    const [flags, letters = ''] = /^\(\?([A-Za-z-]*)[:)]/.exec(rest) ?? ['('];
    const flag = /[^ims-]/.exec(letters)?.[0];
    if (flag !== undefined) return `the flag "${flag}" of ${flags} is not supported; flags are i, m and s`;
    const repeated = flags.endsWith(')') && /^[*+?{]/.exec(rest.slice(flags.length))?.[0];
    if (repeated) return `a repetition of flags, "${flags}${repeated}", is not supported`;
    // A "?" is no quantifier here.
    return this.take(Math.max(flags.length, rest.startsWith('(?') ? 2 : 1));
  }

  private quantifier(): string | undefined {
    const { rest } = this;
    const quantifier = /^(?:[*+?]|\{\d+(?:,\d*)?\})/.exec(rest)?.[0];
    if (quantifier === undefined) {
      const shown = /^\{[^}]*\}?/.exec(rest)?.[0] ?? '{';
      return `"${shown}" is not supported: it is no repetition such as {2}, {2,} or {0,2}; write \\{ for the sign itself`;
    }
    if (rest[quantifier.length] === '+') {
      return `a possessive quantifier, "${quantifier}+", ${BACKTRACKING}`;
    }
    return this.take(quantifier.length + (rest[quantifier.length] === '?' ? 1 : 0));
  }

  private escape(): string | undefined {
    const { rest } = this;
    const letter = rest[1] ?? '';
    if (letter === 'Q') {
      const end = rest.indexOf('\\E');
      return this.take(end < 0 ? rest.length : end + 2);
    }
    if (/[1-9k]/.test(letter)) {
      return `a back reference, "\\${letter}${letter === 'k' && rest[2] === '<' ? '<' : ''}", ${BACKTRACKING}`;
    }
    if (letter === 'p' || letter === 'P') return this.namedClass();
    if (letter === '0' || letter === 'u') return this.codePoint();
    if (/[BDSWAdbfnrstwxza]/.test(letter) || !/[A-Za-z0-9]/.test(letter)) {
      return this.take(/^\\x\{[0-9A-Fa-f]+\}/.exec(rest)?.[0].length ?? 2);
    }
    return `the escape "\\${letter}" is not supported (RE2)`;
  }

  private namedClass(): string | undefined {
    const [all, sign = '', braced, single] = /^\\([pP])(?:\{([^}]*)\}|([A-Z]))/.exec(this.rest) ?? [''];
    const name = braced ?? single ?? '';
    const translated = unicodeClass(name, sign === 'P', this.isInSet);
    if ('problem' in translated) return `${all === '' ? '"\\p" without a name' : `"${all}"`} ${translated.problem}`;
    return this.replace(all.length, translated.ok);
  }

  /** \0 with one to three octal digits, up to 0377, and \u with four hexadecimal ones. */
  private codePoint(): string | undefined {
    const { rest } = this;
    const octal = /^\\0([0-3][0-7]{2}|[0-7]{1,2})/.exec(rest);
    const hexadecimal = /^\\u([0-9A-Fa-f]{4})/.exec(rest);
    const code = octal ? parseInt(octal[1] ?? '', 8) : parseInt(hexadecimal?.[1] ?? '', 16);
    const isHalf = code >= 0xd8_00 && code <= 0xdf_ff;
    if (isHalf || Number.isNaN(code)) {
      return `the escape "${rest.slice(0, 6)}" is not supported; write the letter itself, or \\x{...} with its number`;
    }
    return this.replace((octal ?? hexadecimal)?.[0].length ?? 2, `\\x{${code.toString(16)}}`);
  }

  private get rest(): string {
    return this.text.slice(this.index);
  }

  private take(length: number): undefined {
    this.replace(length, this.text.slice(this.index, this.index + length));
  }

  private replace(length: number, translated: string): undefined {
    this.index += length;
    this.translated += translated;
  }
}
