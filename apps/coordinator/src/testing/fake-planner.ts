import type { PlanOutcome, Planner } from '@tutti/engine';

/**
 * Plans without an engine. "typo ..." is a syntax error, "show ..." is answered at once, "slow ..." is planned when
 * `release` is called, and everything else is a query whose fragment is its text.
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
    const columns = [{ name: 'n', type: 'INTEGER' }];
    return { kind: 'query', columns, fragment: new TextEncoder().encode(statement), tables: [] };
  }

  release(): void {
    this.held.shift()?.();
  }

  async close(): Promise<void> {}
}
