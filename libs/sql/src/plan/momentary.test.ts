import { TestEngine } from '../testing/engine.js';
import { isMomentary } from './momentary.js';

test.each([
  'SELECT now()',
  'select * from t where d < CURRENT_DATE',
  'select * from t where d = "today"()',
  'select age(d) from t',
  'select * from t where ts > ago(interval 1 day)',
  'select current_localtimestamp',
])('%s has a plan of its moment', (sql) => expect(isMomentary(sql)).toBe(true));

test.each([
  'SELECT o_orderkey FROM orders WHERE o_orderdate < DATE 1995-01-01',
  'SELECT known, page, average FROM nowhere',
  'select epoch_ms(ts), date_trunc(ts), random() from t',
])('%s has not', (sql) => expect(isMomentary(sql)).toBe(false));

describe('the functions of the engine', () => {
  let engine: TestEngine;
  beforeAll(async () => (engine = await TestEngine.create()));
  afterAll(() => engine.close());

  /** It tells of a catalog or schema whether names are looked up there, which the session says. */
  const OF_SESSION = new Set(['in_search_path']);

  test('that it calls constant only within a query are all known, and the macros that call these', async () => {
    const rows = await engine.rows(`SELECT DISTINCT function_name, macro_definition FROM duckdb_functions()
      WHERE stability = 'CONSISTENT_WITHIN_QUERY' OR macro_definition IS NOT NULL`);
    const scalars = rows.filter(([, macro]) => macro === null).map(([name]) => String(name));
    expect(scalars).toContain('now');
    expect(scalars.filter((name) => !OF_SESSION.has(name) && !isMomentary(name))).toEqual([]);
    const macros = rows.filter(([, macro]) => /\b(current_(date|time|timestamp)|now|age|today)\b/i.test(String(macro)));
    expect(macros.map(([name]) => String(name))).toContain('ago');
    expect(macros.filter(([name]) => !isMomentary(String(name)))).toEqual([]);
  });
});
