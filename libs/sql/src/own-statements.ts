// Statements that the coordinator answers from its catalogs: the engine never sees them.
import { statementError, type StatementError } from './statement-error.js';
import { type Token, tokenize } from './sql-tokens.js';

/** A statement that is not a query. */
export type OwnStatement =
  | { readonly kind: 'showCatalogs'; readonly like: string | undefined }
  | { readonly kind: 'showSchemas'; readonly catalog: NamePath | undefined; readonly like: string | undefined }
  | { readonly kind: 'showTables'; readonly schema: NamePath | undefined; readonly like: string | undefined }
  | { readonly kind: 'showColumns'; readonly table: NamePath; readonly like: string | undefined }
  | { readonly kind: 'describeQuery'; readonly query: string }
  | { readonly kind: 'explain'; readonly query: string };

/** A name of several parts, and where it stands in the text. */
export interface NamePath {
  readonly parts: readonly string[];
  /** UTF-16 offset. */
  readonly at: number;
}

/** What a text is, as far as can be said without parsing it. */
export type StatementKind =
  | { readonly kind: 'own'; readonly statement: OwnStatement }
  /** `sql` is the text without semicolons behind it; `words` are its unquoted words in upper case. */
  | { readonly kind: 'other'; readonly sql: string; readonly words: readonly string[] }
  | { readonly kind: 'error'; readonly error: StatementError };

const SHOW_FORMS =
  'Supported are SHOW CATALOGS, SHOW SCHEMAS [FROM catalog], SHOW TABLES [FROM schema] and SHOW COLUMNS FROM table, each with LIKE.';

/** Finds out what kind of statement `text` is. Case, comments, quotes and a semicolon behind it do not matter. */
export function classifyStatement(text: string): StatementKind {
  const tokens = tokenize(text);
  const last = tokens.findLastIndex((token) => token.kind !== 'end' && !isSymbol(token, ';'));
  if (last === -1)
    return {
      kind: 'error',
      error: statementError('EMPTY_STATEMENT', 'The statement is empty. Try SELECT 1, or SHOW TABLES.'),
    };
  const second = tokens.slice(0, last).findIndex((token) => isSymbol(token, ';'));
  if (second !== -1) {
    const message =
      'There is more than one statement. Send one at a time; everything behind the first semicolon is another one.';
    const at = tokens[second + 1]?.start ?? 0;
    return { kind: 'error', error: statementError('MULTIPLE_STATEMENTS', message, text, { at, unit: 'utf16' }) };
  }
  const body = tokens.slice(0, last + 1);
  const parser = new Parser(text.slice(0, body.at(-1)?.end), body);
  try {
    const statement = parser.statement();
    if (statement !== undefined) return { kind: 'own', statement };
  } catch (error) {
    if (error instanceof OwnSyntaxError) return { kind: 'error', error: error.statementError };
    throw error;
  }
  const words = body.filter((token) => token.kind === 'word').map((token) => token.value.toUpperCase());
  return { kind: 'other', sql: text.slice(0, body.at(-1)?.end), words };
}

const isSymbol = (token: Token, symbol: string): boolean => token.kind === 'symbol' && token.value === symbol;

class OwnSyntaxError extends Error {
  constructor(readonly statementError: StatementError) {
    super(statementError.message);
  }
}

class Parser {
  private next = 0;

  constructor(
    private readonly text: string,
    private readonly tokens: readonly Token[],
  ) {}

  statement(): OwnStatement | undefined {
    if (this.take('SHOW')) return this.show();
    if (this.take('DESCRIBE') || this.take('DESC')) return this.describe();
    if (this.take('EXPLAIN')) return this.explain();
    return undefined;
  }

  private show(): OwnStatement {
    if (this.take('CATALOGS')) return this.end({ kind: 'showCatalogs', like: this.like() });
    if (this.take('SCHEMAS')) {
      const catalog = this.takeFrom() ? this.name('a catalog', 1) : undefined;
      return this.end({ kind: 'showSchemas', catalog, like: this.like() });
    }
    if (this.take('TABLES')) {
      const schema = this.takeFrom() ? this.name('a schema', 2) : undefined;
      return this.end({ kind: 'showTables', schema, like: this.like() });
    }
    if (this.take('COLUMNS')) {
      if (!this.takeFrom()) this.fail('Expected FROM and a table.');
      return this.end({ kind: 'showColumns', table: this.name('a table', 3), like: this.like() });
    }
    return this.fail(`This form of SHOW is unknown. ${SHOW_FORMS}`, 'NOT_SUPPORTED');
  }

  private describe(): OwnStatement {
    const start = this.next;
    const isName = ['word', 'name'].includes(this.peek()?.kind ?? '');
    if (
      isName &&
      this.tokens.slice(start).every((token, i) => (i % 2 === 0 ? token.kind !== 'symbol' : isSymbol(token, '.')))
    )
      return this.end({ kind: 'showColumns', table: this.name('a table', 3), like: undefined });
    return { kind: 'describeQuery', query: this.rest('DESCRIBE needs a table or a query.') };
  }

  private explain(): OwnStatement {
    const options = isSymbol(this.peek() ?? END, '(') ? this.tokens.slice(this.next, this.next + 8) : [];
    const analyze = this.take('ANALYZE') || this.take('ANALYSE');
    if (analyze || options.some((token) => /^analy[sz]e$/i.test(token.value)))
      this.fail('EXPLAIN ANALYZE is not supported. Run the query: its statistics say what it used.', 'NOT_SUPPORTED');
    // A query in parentheses starts with SELECT, FROM, WITH or VALUES; options start with a word like FORMAT.
    if (options.length > 0 && /^(format|verbose|costs)$/i.test(options[1]?.value ?? ''))
      this.fail('EXPLAIN takes no options. Write EXPLAIN and the query.', 'NOT_SUPPORTED');
    return { kind: 'explain', query: this.rest('EXPLAIN needs a query.') };
  }

  /** The text from here on, with the text before it blanked so that positions stay right. */
  private rest(problem: string): string {
    const token = this.peek();
    if (token === undefined) return this.fail(problem);
    return this.text.slice(0, token.start).replace(/[^\r\n]/gu, ' ') + this.text.slice(token.start);
  }

  private name(what: string, partsMax: number): NamePath {
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

  private like(): string | undefined {
    if (!this.take('LIKE')) return undefined;
    const token = this.peek();
    if (token?.kind !== 'text') return this.fail("Expected a pattern in quotes, such as 'f%'.");
    this.next++;
    return token.value;
  }

  private takeFrom(): boolean {
    return this.take('FROM') || this.take('IN');
  }

  private end<T extends OwnStatement>(statement: T): T {
    if (this.peek() !== undefined) this.fail(`Unexpected "${this.peek()?.value}". ${SHOW_FORMS}`);
    return statement;
  }

  private peek(): Token | undefined {
    return this.tokens[this.next];
  }

  private take(word: string): boolean {
    const token = this.peek();
    if (token?.kind !== 'word' || token.value.toUpperCase() !== word) return false;
    this.next++;
    return true;
  }

  private takeSymbol(symbol: string): boolean {
    if (!isSymbol(this.peek() ?? END, symbol)) return false;
    this.next++;
    return true;
  }

  private fail(message: string, reason: 'SYNTAX_ERROR' | 'NOT_SUPPORTED' = 'SYNTAX_ERROR'): never {
    const at = this.peek()?.start ?? this.text.length;
    throw new OwnSyntaxError(statementError(reason, message, this.text, { at, unit: 'utf16' }));
  }
}

const END: Token = { kind: 'end', value: '', start: 0, end: 0 };
