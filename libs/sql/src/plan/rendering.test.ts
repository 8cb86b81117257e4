// What is decoded means what it was decoded from: statements give the same rows when they are written back from their plans.
import { TestEngine } from '../testing/engine.js';
import type { PlanNode } from './plan.js';
import { isVolatile } from './decode-function.js';
import { isClosed, selectOf, typedExpressions } from './testing/expression-types.js';
import { NOT_UNDERSTOOD } from './testing/not-understood.js';
import { TABLES, UNDERSTOOD } from './testing/statements.js';
import { wholeSql } from './testing/whole-sql.js';

let engine: TestEngine;

beforeAll(async () => {
  engine = await TestEngine.create();
  for (const [name, sql] of Object.entries(TABLES)) await engine.table(name, sql);
});

afterAll(() => engine.close());

/** Rows in any order, floating point to 12 digits. */
function comparable(rows: readonly (readonly unknown[])[]): string[] {
  const round = (value: unknown): unknown =>
    typeof value === 'number' && Number.isFinite(value) ? Number(value.toPrecision(12)) : value;
  return rows.map((row) => JSON.stringify(row, (_key, value: unknown) => round(value))).sort();
}

async function understood(sql: string): Promise<PlanNode> {
  const decoded = await engine.plan(sql);
  if ('unsupported' in decoded) throw new Error(`not understood: ${decoded.unsupported}`);
  return decoded.ok;
}

for (const [what, statements] of Object.entries(UNDERSTOOD)) {
  describe(`statements written back from their plans: ${what}`, () => {
    it.each(statements)('%s', async (sql) => {
      const written = wholeSql(await understood(sql));
      expect(comparable(await engine.rows(written))).toEqual(comparable(await engine.rows(sql)));
    });
  });
}

describe('types of what is written back', () => {
  /** Types as the engine spells them. */
  const spelled = async (types: readonly { readonly sql: string }[]): Promise<string[]> =>
    types.length === 0
      ? []
      : engine.types(`SELECT ${types.map(({ sql }, index) => `CAST(NULL AS ${sql}) AS e${index}`).join(', ')}`);

  it.each(Object.values(UNDERSTOOD).flat())('%s', async (sql) => {
    const plan = await understood(sql);
    const written = (await engine.types(wholeSql(plan))).slice(0, plan.types.length);
    expect(written).toEqual(await spelled(plan.types));
    for (const { input, expressions } of typedExpressions(plan)) {
      if (!isClosed(input) || expressions.length === 0) continue;
      const types = await engine.types(selectOf(expressions, wholeSql(input)));
      expect(types).toEqual(await spelled(expressions.map(({ type }) => type)));
    }
  });
});

describe('statements that are not understood say what it is', () => {
  it.each(NOT_UNDERSTOOD)('%s: %s', async (sql, reason) => {
    expect(await engine.plan(sql)).toEqual({ unsupported: expect.stringContaining(reason) as string });
  });

  it('none of the functions with another value at each call is understood', async () => {
    const volatile = await engine.rows(
      `SELECT DISTINCT function_name FROM duckdb_functions()
       WHERE function_type = 'scalar' AND stability <> 'CONSISTENT' AND function_name <> 'error'`,
    );
    expect(volatile.length).toBeGreaterThan(10);
    expect(volatile.map(([name]) => String(name)).filter((name) => !isVolatile(name))).toEqual([]);
  });
});
