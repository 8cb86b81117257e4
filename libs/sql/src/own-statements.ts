// Statements that the coordinator answers from its catalogs: the engine never sees them. Those about settings of the session
// are in own-session.ts.
import { isSymbol, type NamePath, oneStatement, OwnParser, OwnSyntaxError } from './own-parser.js';
import { statementError, type StatementError } from './statement-error.js';

/** A statement that is not a query. */
export type OwnStatement =
  | { readonly kind: 'showCatalogs'; readonly like: string | undefined }
  | { readonly kind: 'showSchemas'; readonly catalog: NamePath | undefined; readonly like: string | undefined }
  | { readonly kind: 'showTables'; readonly schema: NamePath | undefined; readonly like: string | undefined }
  | { readonly kind: 'showColumns'; readonly table: NamePath; readonly like: string | undefined }
  | { readonly kind: 'describeQuery'; readonly query: string }
  /** With `isAnalyze` the query runs, and the answer says what that took. */
  | { readonly kind: 'explain'; readonly isAnalyze: boolean; readonly query: string };

/** What a text is, as far as can be said without parsing it. */
export type StatementKind =
  | { readonly kind: 'own'; readonly statement: OwnStatement }
  /** `sql` is the text without semicolons behind it; `words` are its unquoted words in upper case. */
  | { readonly kind: 'other'; readonly sql: string; readonly words: readonly string[] }
  | { readonly kind: 'error'; readonly error: StatementError };

const SHOW_FORMS =
  'Supported are SHOW CATALOGS, SHOW SCHEMAS [FROM catalog], SHOW TABLES [FROM schema], SHOW COLUMNS FROM table and SHOW SESSION, each with LIKE.';

/** Finds out what kind of statement `text` is. Case, comments, quotes and a semicolon behind it do not matter. */
export function classifyStatement(text: string): StatementKind {
  const one = oneStatement(text);
  if (one === undefined)
    return {
      kind: 'error',
      error: statementError('EMPTY_STATEMENT', 'The statement is empty. Try SELECT 1, or SHOW TABLES.'),
    };
  if ('secondAt' in one) {
    const message =
      'There is more than one statement. Send one at a time; everything behind the first semicolon is another one.';
    const offset = { at: one.secondAt, unit: 'utf16' } as const;
    return { kind: 'error', error: statementError('MULTIPLE_STATEMENTS', message, text, offset) };
  }
  try {
    const statement = new Parser(one).statement();
    if (statement !== undefined) return { kind: 'own', statement };
  } catch (error) {
    if (error instanceof OwnSyntaxError) return { kind: 'error', error: error.statementError };
    throw error;
  }
  const words = one.tokens.filter((token) => token.kind === 'word').map((token) => token.value.toUpperCase());
  return { kind: 'other', sql: one.text, words };
}

class Parser extends OwnParser {
  statement(): OwnStatement | undefined {
    if (this.take('SHOW')) return this.show();
    if (this.take('DESCRIBE') || this.take('DESC')) return this.describe();
    if (this.take('EXPLAIN')) return this.explain();
    return undefined;
  }

  private show(): OwnStatement {
    if (this.take('CATALOGS')) return this.ended({ kind: 'showCatalogs', like: this.like() });
    if (this.take('SCHEMAS')) {
      const catalog = this.takeFrom() ? this.name('a catalog', 1) : undefined;
      return this.ended({ kind: 'showSchemas', catalog, like: this.like() });
    }
    if (this.take('TABLES')) {
      const schema = this.takeFrom() ? this.name('a schema', 2) : undefined;
      return this.ended({ kind: 'showTables', schema, like: this.like() });
    }
    if (this.take('COLUMNS')) {
      if (!this.takeFrom()) this.fail('Expected FROM and a table.');
      return this.ended({ kind: 'showColumns', table: this.name('a table', 3), like: this.like() });
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
      return this.ended({ kind: 'showColumns', table: this.name('a table', 3), like: undefined });
    return { kind: 'describeQuery', query: this.rest('DESCRIBE needs a table or a query.') };
  }

  private explain(): OwnStatement {
    const isAnalyze = this.takeAnalyze();
    // A query in parentheses starts with SELECT, FROM, WITH or VALUES; options start with a word like FORMAT.
    const option = isSymbol(this.peek(), '(') ? this.tokens[this.next + 1]?.value : undefined;
    if (option !== undefined && /^(format|verbose|costs|type|analy[sz]e)$/i.test(option))
      this.fail(
        'EXPLAIN takes no options but ANALYZE. Write EXPLAIN, or EXPLAIN ANALYZE, and the query.',
        'NOT_SUPPORTED',
      );
    return { kind: 'explain', isAnalyze, query: this.rest('EXPLAIN needs a query.') };
  }

  /** ANALYZE, or (ANALYZE) as an option. */
  private takeAnalyze(): boolean {
    const before = this.next;
    const inParentheses = this.takeSymbol('(');
    if ((this.take('ANALYZE') || this.take('ANALYSE')) && (!inParentheses || this.takeSymbol(')'))) return true;
    this.next = before;
    return false;
  }

  /** The text from here on, with the text before it blanked so that positions stay right. */
  private rest(problem: string): string {
    const token = this.peek();
    if (token === undefined) return this.fail(problem);
    return this.text.slice(0, token.start).replace(/[^\r\n]/gu, ' ') + this.text.slice(token.start);
  }

  private takeFrom(): boolean {
    return this.take('FROM') || this.take('IN');
  }

  private ended(statement: OwnStatement): OwnStatement {
    return this.end(statement, SHOW_FORMS);
  }
}
