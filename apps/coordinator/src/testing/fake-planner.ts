import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PlanOutcome, Planner } from '@tutti/engine';

/**
 * Plans without an engine. "typo ..." is a syntax error, "show ..." is answered at once, "slow ..." is planned when
 * `release` is called, "grouped ..." can be cut into stages, and everything else is a query whose fragment is its text.
 */
export class FakePlanner implements Planner {
  readonly planned: string[] = [];
  private readonly held: (() => void)[] = [];

  async plan(statement: string, _session: unknown, signal: AbortSignal): Promise<PlanOutcome> {
    this.planned.push(statement);
    if (statement.startsWith('slow')) {
      await new Promise<void>((resolve, reject) => {
        this.held.push(resolve);
        signal.addEventListener('abort', () => reject(new Error('aborted')), { once: true });
      });
    }
    if (statement.startsWith('typo')) {
      return {
        kind: 'error',
        error: { reason: 'SYNTAX_ERROR', message: 'syntax error at or near "typo"', line: 1, column: 1 },
      };
    }
    if (statement.startsWith('show')) {
      return { kind: 'rows', columns: [{ name: 'Catalog', type: 'VARCHAR' }], rows: [['demo'], ['tpch']] };
    }
    if (statement.startsWith('grouped')) return grouped(statement);
    const columns = [{ name: 'n', type: 'INTEGER' }];
    return {
      kind: 'query',
      columns,
      fragment: fragmentOf(statement),
      tables: [],
      plan: { kind: 'whole', reason: 'the fake planner makes no plans' },
    };
  }

  release(): void {
    this.held.shift()?.();
  }

  async close(): Promise<void> {}
}

const SPLIT = { path: '/t.parquet', fileBytes: 1, fileMtimeMs: 1, rows: 5_000_000, bytes: 100_000, ranges: {} };

/** SELECT s, sum(a) AS total FROM t WHERE b > 1 GROUP BY s ORDER BY s, over four splits. */
function grouped(statement: string): PlanOutcome {
  const columns = ['a BIGINT', 'b INTEGER', 'p DECIMAL(15,2)', 's VARCHAR'].map((text) => {
    const [name = '', type = ''] = text.split(' ');
    return { name, type };
  });
  const splits = [0, 1, 2, 3].map((n) => ({ ...SPLIT, firstRow: 5_000_000 * n, endRow: 5_000_000 * (n + 1) }));
  const reader = { catalog: 'demo', schema: 'main', name: 't', format: 'parquet', columns } as const;
  const table = { table: 'demo.main.t', stubPath: 'stub', reader, columns, rows: 20_000_000, splits };
  return {
    kind: 'query',
    columns: [
      { name: 's', type: 'VARCHAR' },
      { name: 'total', type: 'HUGEINT' },
    ],
    fragment: fragmentOf(statement),
    tables: ['demo.main.t'],
    plan: {
      kind: 'plan',
      planJson: readFileSync(join(__dirname, 'grouped-plan.json'), 'utf8'),
      explainJson: undefined,
      tables: [table],
      isProvisional: false,
    },
  };
}

/** As the planner writes it, with nothing but the statement. */
const fragmentOf = (sql: string): Uint8Array =>
  new TextEncoder().encode(JSON.stringify({ version: 1, sql, tables: [] }));
