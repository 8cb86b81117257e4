// Statements about the settings of a session. The coordinator answers them; it keeps nothing, so that any coordinator will do
// for the statements after them: the client sends the settings with each.
import { oneStatement, OwnParser, OwnSyntaxError } from './own-parser.js';
import type { StatementError } from './statement-error.js';

export type SessionStatement =
  | { readonly kind: 'setSession'; readonly name: PlacedText; readonly value: PlacedText }
  | { readonly kind: 'resetSession'; readonly name: PlacedText }
  | { readonly kind: 'showSession'; readonly like: string | undefined };

/** A part of a statement. */
export interface PlacedText {
  readonly text: string;
  /** UTF-16 offset. */
  readonly at: number;
}

const FORMS = 'Supported are SET SESSION name = value, RESET SESSION name and SHOW SESSION [LIKE pattern].';

/** Reads SET SESSION, RESET SESSION and SHOW SESSION; undefined when `text` is no such statement, or several statements. */
export function parseSessionStatement(
  text: string,
): { readonly ok: SessionStatement } | { readonly error: StatementError } | undefined {
  if (!/\bsession\b/i.test(text)) return undefined; // Most statements are seen through without their tokens.
  const one = oneStatement(text);
  if (one === undefined || 'secondAt' in one) return undefined;
  try {
    const statement = new Parser(one).statement();
    return statement && { ok: statement };
  } catch (error) {
    if (error instanceof OwnSyntaxError) return { error: error.statementError };
    throw error;
  }
}

class Parser extends OwnParser {
  statement(): SessionStatement | undefined {
    if (this.takeBoth('SHOW')) return this.end({ kind: 'showSession', like: this.like() }, FORMS);
    if (this.takeBoth('RESET')) return this.end({ kind: 'resetSession', name: this.property() }, FORMS);
    if (!this.takeBoth('SET')) return undefined;
    const name = this.property();
    if (!this.takeSymbol('=') && !this.take('TO')) this.fail(`Expected = and a value. ${FORMS}`);
    return this.end({ kind: 'setSession', name, value: this.value() }, FORMS);
  }

  private takeBoth(word: string): boolean {
    if (this.take(word) && this.take('SESSION')) return true;
    this.next = 0;
    return false;
  }

  private property(): PlacedText {
    const { parts, at } = this.name('a setting', 1);
    return { text: parts[0] ?? '', at };
  }

  /** A word, a number or a text in quotes, all of which are texts to us. */
  private value(): PlacedText {
    const at = this.peek()?.start ?? this.text.length;
    const sign = this.takeSymbol('-') ? '-' : '';
    const token = this.peek();
    const isValue = token !== undefined && ['word', 'name', 'text', 'number'].includes(token.kind);
    if (!isValue) return this.fail(`Expected a value: a word, a number or a text in quotes. ${FORMS}`);
    this.next++;
    return { text: sign + token.value, at };
  }
}
