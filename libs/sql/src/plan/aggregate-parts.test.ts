// What is computed of parts of the rows and then of these gives what is computed of all rows at once.
import { TestEngine } from '../testing/engine.js';
import { decompose } from './aggregate-parts.js';
import { expressionSql } from './expression-sql.js';
import type { AggregateCall, PlanExpression, PlanNode } from './plan.js';
import { wholeSql } from './testing/whole-sql.js';

let engine: TestEngine;

// Group 1 has values, 2 has NULLs only, 3 has one row, 4 has a NaN and an infinity, 5 has very large numbers.
beforeAll(async () => {
  engine = await TestEngine.create();
  await engine.table(
    'facts',
    `SELECT CASE WHEN i < 300 THEN 1 WHEN i < 310 THEN 2 WHEN i = 310 THEN 3 WHEN i < 330 THEN 4 ELSE 5 END AS g,
       i::INTEGER AS id, i % 3 = 0 AS ok, CASE WHEN g <> 2 AND i % 7 <> 0 THEN i % 11 = 0 END AS flag,
       CASE WHEN g <> 2 AND i % 7 <> 0 THEN (i * 37 % 101 - 50)::TINYINT END AS t,
       CASE WHEN g <> 2 AND i % 5 <> 0 THEN (i * 7919 % 65000 - 32000)::SMALLINT END AS s,
       CASE WHEN g <> 2 AND i % 4 <> 0 THEN (i * 104729 % 2000003)::INTEGER END AS i,
       CASE WHEN g = 5 THEN 9223372036854775807 - i * 3 WHEN g <> 2 AND i % 4 <> 0 THEN (i * 104729 % 2000003)::BIGINT END AS b,
       CASE WHEN g = 5 THEN 9223372036854775807::HUGEINT * 1000000007 + i WHEN g <> 2 THEN (i * 13)::HUGEINT END AS h,
       CASE WHEN g <> 2 AND i % 6 <> 0 THEN (i * 7919 % 9973)::UBIGINT END AS u,
       CASE WHEN g <> 2 AND i % 6 <> 0 THEN (i * 7919 % 9973)::DECIMAL(4,0) END AS p4,
       CASE WHEN g <> 2 AND i % 6 <> 0 THEN (i * 7919 % 9973)::DECIMAL(9,2) / 8 END::DECIMAL(9,2) AS p9,
       CASE WHEN g = 5 THEN 9999999999999.99 WHEN g <> 2 AND i % 6 <> 0 THEN i * 1.37 END::DECIMAL(15,2) AS p15,
       CASE WHEN g = 5 THEN 99999999999999999999999999.1234 WHEN g <> 2 THEN -i * 1.37 END::DECIMAL(36,4) AS p36,
       CASE WHEN g = 4 AND i = 320 THEN 'nan'::DOUBLE WHEN g <> 2 AND i % 5 <> 0 THEN (i * 7919 % 9973) / 8 END::DOUBLE AS f,
       CASE WHEN g = 4 AND i = 321 THEN 'infinity'::DOUBLE WHEN g <> 2 AND i % 5 <> 0 THEN (i * 7919 % 997) / 8 END::FLOAT AS r,
       CASE WHEN g NOT IN (2, 4) THEN 1e9 + i * 0.125 WHEN g = 4 THEN 5 END::DOUBLE AS far,
       CASE WHEN g <> 2 AND i % 3 <> 1 THEN 'w' || (i * 31 % 17) END AS w,
       CASE WHEN g <> 2 AND i % 3 <> 1 THEN DATE '2020-01-01' + (i * 31 % 17)::INTEGER END AS d,
       CASE WHEN g <> 2 AND i % 3 <> 1 THEN to_days((i % 40)::INTEGER) + to_hours(i % 5) END AS iv
     FROM (SELECT range AS i, CASE WHEN i < 300 THEN 1 WHEN i < 310 THEN 2 WHEN i = 310 THEN 3 WHEN i < 330 THEN 4 ELSE 5 END AS g
           FROM range(400))`,
  );
});

afterAll(() => engine.close());

type Aggregate = Extract<PlanNode, { op: 'aggregate' }>;

function aggregateIn(node: PlanNode): Aggregate {
  if (node.op === 'aggregate') return node;
  if ('child' in node) return aggregateIn(node.child);
  throw new Error('no aggregate');
}

async function planned(
  call: string,
  filter: string,
  grouped: boolean,
): Promise<{ node: Aggregate; call: AggregateCall }> {
  const sql = `SELECT ${grouped ? 'g, ' : ''}${call}${filter} FROM facts${grouped ? ' GROUP BY g' : ''}`;
  const decoded = await engine.plan(sql);
  if ('unsupported' in decoded) throw new Error(decoded.unsupported);
  const node = aggregateIn(decoded.ok);
  const [first] = node.aggregates;
  if (first === undefined) throw new Error('no aggregate');
  return { node, call: first };
}

const SLICES = 4;
const own = (expression: PlanExpression): string => expressionSql(expression, (index) => `t.c${index}`);

/** The call by parts over slices of the rows, of which the last is empty, and the call as it is. */
async function both(text: string, filter: string, grouped: boolean) {
  const { node, call } = await planned(text, filter, grouped);
  const parts = decompose(call);
  if (parts === undefined) throw new Error(`${text} is not taken apart`);
  const groups = node.groups.map((group, index) => `${own(group)} AS g${index}`);
  const given = [...call.operands.map(own), ...(call.filter === undefined ? [] : [own(call.filter)])];
  const partial = parts.partials.map(({ sql }, index) => `${sql(given)} AS s${index}`);
  const by = grouped ? ' GROUP BY g0' : '';
  const input = `SELECT *, row_number() OVER () * 7919 % ${SLICES - 1} AS slice FROM (${wholeSql(node.child)})`;
  const slices = Array.from({ length: SLICES }, (_, slice) => {
    const from = `FROM (${input}) AS t WHERE slice = ${slice}`;
    return `SELECT ${[...groups, ...partial].join(', ')} ${from}${by}`;
  });
  const states = parts.partials.map((_, index) => `s${index}`);
  const final = `SELECT ${grouped ? 'g0, ' : ''}${parts.final(states)} AS v FROM (${slices.join(' UNION ALL ')})${by} ORDER BY ALL`;
  const whole = `SELECT ${grouped ? 'g, ' : ''}${text}${filter} AS v FROM facts${grouped ? ' GROUP BY g' : ''} ORDER BY ALL`;
  const partialTypes = (await engine.types(slices[0] ?? '')).slice(groups.length);
  expect(partialTypes).toEqual(parts.partials.map(({ type }) => type.sql));
  expect(await engine.types(final)).toEqual(await engine.types(whole));
  return { divided: await engine.rows(final), whole: await engine.rows(whole) };
}

const COLUMNS = ['t', 's', 'i', 'b', 'h', 'u', 'p4', 'p9', 'p15', 'p36', 'f', 'r'];
const EXACT: readonly string[] = [
  'count(*)',
  'count(w)',
  'count_if(flag)',
  'bool_and(flag)',
  'bool_or(flag)',
  ...COLUMNS.map((column) => `sum(${column})`),
  ...COLUMNS.map((column) => `avg(${column})`),
  'mean(p9)',
  ...[...COLUMNS, 'w', 'd', 'iv', 'flag'].flatMap((column) => [`min(${column})`, `max(${column})`]),
  ...['t', 'i', 'b', 'h', 'u'].flatMap((column) => ['and', 'or', 'xor'].map((kind) => `bit_${kind}(${column})`)),
  'sum(flag)',
  'arg_min(w, id)',
  'arg_max(w, id)',
  'min_by(p36, -id)',
  'max_by(iv, id)',
  'arg_max(id, f)',
  'any_value(g)',
  'first(g)',
  'last(g)',
];

describe.each(['', ' FILTER (WHERE ok)', ' FILTER (WHERE id < 0)'])('with%s', (filter) => {
  // Of two numbers beyond 2^53 a quotient may differ in its last bit.
  const isExact = (text: string): boolean => !/^avg\((b|h|p36)\)$/.test(text);

  it.each(EXACT)('%s by parts is what it is of all rows', async (text) => {
    for (const grouped of [true, false]) {
      // A sum of everything is too large for any type.
      if (!grouped && filter === '' && /\((h|p36)\)$/.test(text)) continue;
      const { divided, whole } = await both(text, filter, grouped);
      if (isExact(text)) expect(divided).toEqual(whole);
      else expectClose(divided, whole, 1e-15);
    }
  });

  it.each(['stddev', 'stddev_samp', 'stddev_pop', 'variance', 'var_samp', 'var_pop'])('%s is as good', async (name) => {
    for (const column of ['i', 'p15', 'far']) {
      for (const grouped of [true, false]) {
        const { divided, whole } = await both(`${name}(${column})`, filter, grouped);
        expectClose(divided, whole, 1e-11);
      }
    }
  });
});

function expectClose(divided: readonly unknown[][], whole: readonly unknown[][], part: number): void {
  expect(divided.length).toBe(whole.length);
  for (const [index, row] of whole.entries()) {
    const [expected, found] = [row.at(-1), divided[index]?.at(-1)];
    if (typeof expected !== 'number') expect(found).toEqual(expected);
    else expect(Math.abs(Number(found) - expected)).toBeLessThanOrEqual(Math.abs(expected) * part);
  }
}

it('a variance that is no number is an error by parts too', async () => {
  await expect(both("stddev_pop(CASE WHEN id % 2 = 0 THEN 'infinity'::DOUBLE END)", '', false)).rejects.toThrow(
    /out of range/i,
  );
});

it.each([
  'sum(DISTINCT i)',
  'list(i)',
  "string_agg(w, ',')",
  'median(i)',
  'mode(i)',
  'first(i ORDER BY id)',
  'avg(d)',
  'approx_count_distinct(i)',
  'min(i, 3)',
  'corr(i, t)',
])('%s needs all rows of a group at one place', async (text) => {
  expect(decompose((await planned(text, '', true)).call)).toBeUndefined();
});
