// The gate in front of DuckDB: one SELECT whose syntax tree names nothing that is not allowed. The planner and every
// executor pass each statement through it; an executor does not trust the planner.
import type { DuckDBConnection, DuckDBPreparedStatement } from '@duckdb/node-api';
import { inspectAst, refuseStatement, statementError, type StatementError, type TableReference } from '@tutti/sql';
import { FEW_ROWS, isLikelyFew } from './likely-few.js';
import { type DuckdbError, readDuckdbError, toStatementError } from './duckdb-error.js';

/** What a statement names, or why it is refused. */
export type GateOutcome =
  | {
      readonly ok: {
        readonly tables: readonly TableReference[];
        readonly cteNames: ReadonlySet<string>;
        /** Likely to have no more than FEW_ROWS. */
        readonly isLikelyFew: boolean;
      };
    }
  | { readonly error: StatementError };

interface SerializedStatements {
  readonly error: boolean;
  readonly error_type?: string;
  readonly error_message?: string;
  readonly error_subtype?: string;
  readonly position?: string;
  readonly statements?: readonly unknown[];
}

// skip_null and the like only shorten the tree; it is never turned into SQL again.
const SERIALIZE = 'SELECT json_serialize_sql($1::VARCHAR, skip_null := true, skip_empty := true, skip_default := true)';

/** Parses statements on one connection. Prepared once, since preparing takes longer than parsing. */
export class QueryGate {
  private constructor(private readonly serialize: DuckDBPreparedStatement) {}

  static async open(connection: DuckDBConnection): Promise<QueryGate> {
    const gate = new QueryGate(await connection.prepare(SERIALIZE));
    // The first one is slow.
    await gate.inspect('SELECT 1', []);
    return gate;
  }

  /** Parses `sql` and inspects it. `words` are its unquoted words in upper case, for explanations. */
  async inspect(sql: string, words: readonly string[]): Promise<GateOutcome> {
    this.serialize.bindVarchar(1, sql);
    const result = await this.serialize.run();
    const [[text]] = (await result.getRows()) as [[string]];
    return judge(JSON.parse(text) as SerializedStatements, sql, words);
  }

  close(): void {
    this.serialize.destroySync();
  }
}

function judge(tree: SerializedStatements, sql: string, words: readonly string[]): GateOutcome {
  if (tree.error) return { error: refusal(tree, sql, words) };
  if (tree.statements?.length !== 1)
    return { error: statementError('MULTIPLE_STATEMENTS', 'There is more than one statement. Send one at a time.') };
  const inspection = inspectAst(tree.statements[0]);
  if ('ok' in inspection) return { ok: { ...inspection.ok, isLikelyFew: isLikelyFew(tree.statements[0], FEW_ROWS) } };
  const offset = inspection.at === undefined ? undefined : ({ at: inspection.at, unit: 'bytes' } as const);
  return { error: statementError(inspection.reason, inspection.message, sql, offset) };
}

function refusal(tree: SerializedStatements, sql: string, words: readonly string[]): StatementError {
  if (tree.error_type === 'parser') {
    const error: DuckdbError = {
      ...readDuckdbError(new Error(tree.error_message ?? 'syntax error')),
      type: 'Parser',
      position: tree.position === undefined ? undefined : Number(tree.position),
    };
    return toStatementError(error, sql, []);
  }
  // The statement parses, but is no SELECT.
  const { reason, message } = refuseStatement(words);
  return statementError(reason, message, sql, { at: sql.length - sql.trimStart().length, unit: 'utf16' });
}
