// What parsers of our own statements have in common: they read the tokens of one statement from left to right.
import { statementError, type StatementError } from './statement-error.js';
import { type Token, tokenize } from './sql-tokens.js';

/** A name of several parts, and where it stands in the text. */
export interface NamePath {
  readonly parts: readonly string[];
  /** UTF-16 offset. */
  readonly at: number;
}

/** Thrown by parsers of own statements, and caught where they are called. */
export class OwnSyntaxError extends Error {
  constructor(readonly statementError: StatementError) {
    super(statementError.message);
  }
}

/** One statement: its text up to its last token, and its tokens. */
export interface OneStatement {
  readonly text: string;
  readonly tokens: readonly Token[];
}

/** The only statement of a text, without semicolons behind it; or where a second one starts, or that there is none. */
export function oneStatement(text: string): OneStatement | { readonly secondAt: number } | undefined {
  const tokens = tokenize(text);
  const last = tokens.findLastIndex((token) => token.kind !== 'end' && !isSymbol(token, ';'));
  if (last === -1) return undefined;
  const second = tokens.slice(0, last).findIndex((token) => isSymbol(token, ';'));
  if (second !== -1) return { secondAt: tokens[second + 1]?.start ?? 0 };
  const body = tokens.slice(0, last + 1);
  return { text: text.slice(0, body.at(-1)?.end), tokens: body };
}

export const isSymbol = (token: Token | undefined, symbol: string): boolean =>
  token?.kind === 'symbol' && token.value === symbol;

export class OwnParser {
  protected next = 0;
  protected readonly text: string;
  protected readonly tokens: readonly Token[];

  constructor(statement: OneStatement) {
    this.text = statement.text;
    this.tokens = statement.tokens;
  }

  protected name(what: string, partsMax: number): NamePath {
    const at = this.peek()?.start ?? this.text.length;
    const parts: string[] = [];
    do {
      const token = this.peek();
      if (token === undefined || !['word', 'name'].includes(token.kind))
        return this.fail(`Expected the name of ${what}.`);
      parts.push(token.value);
      this.next++;
    } while (this.takeSymbol('.'));
    if (parts.length > partsMax) {
      const limit = partsMax === 1 ? 'one part' : `at most ${partsMax} parts`;
      this.fail(`The name of ${what} has ${limit}, not ${parts.length}.`);
    }
    return { parts, at };
  }

  protected like(): string | undefined {
    if (!this.take('LIKE')) return undefined;
    const token = this.peek();
    if (token?.kind !== 'text') return this.fail("Expected a pattern in quotes, such as 'f%'.");
    this.next++;
    return token.value;
  }

  /** `statement`, when nothing comes behind it; `forms` says what may be written. */
  protected end<T>(statement: T, forms: string): T {
    if (this.peek() !== undefined) this.fail(`Unexpected "${this.peek()?.value}". ${forms}`);
    return statement;
  }

  protected peek(): Token | undefined {
    return this.tokens[this.next];
  }

  protected take(word: string): boolean {
    const token = this.peek();
    if (token?.kind !== 'word' || token.value.toUpperCase() !== word) return false;
    this.next++;
    return true;
  }

  protected takeSymbol(symbol: string): boolean {
    if (!isSymbol(this.peek(), symbol)) return false;
    this.next++;
    return true;
  }

  protected fail(message: string, reason: 'SYNTAX_ERROR' | 'NOT_SUPPORTED' = 'SYNTAX_ERROR'): never {
    const at = this.peek()?.start ?? this.text.length;
    throw new OwnSyntaxError(statementError(reason, message, this.text, { at, unit: 'utf16' }));
  }
}
