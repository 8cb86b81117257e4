// What is not known makes a plan unsupported, and what EXPLAIN says of it is used as far as it fits.
import { decodePlan } from './decode-plan.js';
import type { PlanNode } from './plan.js';

const INTEGER = { id: 'INTEGER' };
const reference = { expression_class: 'BOUND_REF', type: 'BOUND_REF', alias: 'a', return_type: INTEGER, index: 0 };
const scan = {
  type: 'LOGICAL_GET',
  children: [],
  table_index: 0,
  returned_types: [INTEGER],
  names: ['a'],
  projection_ids: [0],
  table_filters: { filters: [] },
  name: 'read_parquet',
  arguments: [{ id: 'VARCHAR' }],
  has_serialize: true,
  function_data: { files: ['/stub/t'] },
  column_indexes: [{ index: 0, index_type: 'FULL_READ', child_indexes: [], has_index: true }],
};
const project = (...more: object[]) =>
  Object.assign({ type: 'LOGICAL_PROJECTION', children: [scan], expressions: [reference] }, ...more);
const planOf = (node: object): string => JSON.stringify({ error: false, plans: [node] });
const tableOf = (path: string) =>
  path === '/stub/t' ? { table: 'c.s.t', columns: [{ name: 'a' }], rows: 777 } : undefined;
const decode = (node: object, explain?: unknown) =>
  decodePlan(planOf(node), explain === undefined ? undefined : JSON.stringify(explain), tableOf);

/** Rows that are expected, from the top. */
function rowsOf(node: object, explain?: unknown): number[] {
  const decoded = decode(node, explain);
  if ('unsupported' in decoded) throw new Error(decoded.unsupported);
  const rows: number[] = [];
  for (let at: PlanNode | undefined = decoded.ok; at !== undefined; at = 'child' in at ? at.child : undefined)
    rows.push(at.estimatedRows);
  return rows;
}

describe('what is not known is not guessed', () => {
  it.each([
    ['a field of an operator', project({ sampled: 'yes' }), 'projection with sampled'],
    ['a field of a scan', { ...scan, sample_options: { percentage: 10 } }, 'a scan with sample_options'],
    ['a field of an expression', project({ expressions: [{ ...reference, negated: true }] }), 'BOUND_REF with negated'],
    ['an operator', { type: 'LOGICAL_PIVOT', children: [] }, 'pivot'],
    ['an expression', project({ expressions: [{ expression_class: 'BOUND_NEW' }] }), 'an expression BOUND_NEW'],
    ['a type', project({ expressions: [{ ...reference, return_type: { id: 'GEOMETRY' } }] }), 'the type GEOMETRY'],
    ['a file that is no table', { ...scan, function_data: { files: ['/etc/passwd'] } }, 'something else than a table'],
    ['several files', { ...scan, function_data: { files: ['/stub/t', '/stub/t'] } }, 'something else than a table'],
    ['a table function', { ...scan, name: 'glob' }, 'the table function glob()'],
    [
      'a filter of a scan',
      { ...scan, table_filters: { filters: [{ key: 0, value: { filter_type: 'BLOOM_FILTER' } }] } },
      'the filter BLOOM_FILTER',
    ],
  ])('%s', (_what, node, reason) => {
    expect(decode(node)).toEqual({ unsupported: expect.stringContaining(reason) as string });
  });

  it('fields that say nothing are no matter', () => {
    expect(decode(project({ sampled: false, options: {}, list: [], text: '', zero: 0, none: null }))).toHaveProperty(
      'ok',
    );
  });

  it('a plan that the engine could not write gives its reason', () => {
    const plan = '{"error": true, "error_type": "not implemented", "error_message": "no PIVOT"}';
    expect(decodePlan(plan, undefined, tableOf)).toEqual({ unsupported: 'no PIVOT' });
    expect(decodePlan('', undefined, tableOf)).toHaveProperty('unsupported');
    expect(decodePlan('{"plans": []}', undefined, tableOf)).toEqual({ unsupported: '0 plans' });
  });
});

describe('expected rows', () => {
  const shown = (name: string, rows: string, children: object[] = []) => ({
    name,
    children,
    extra_info: { 'Estimated Cardinality': rows },
  });

  it('are those of EXPLAIN', () => {
    expect(rowsOf(project(), [shown('PROJECTION', '12', [shown('READ_PARQUET', '34')])])).toEqual([12, 34]);
  });

  it('are those of the children and tables without EXPLAIN', () => {
    expect(rowsOf(project())).toEqual([777, 777]);
  });

  it('are not taken from another tree', () => {
    expect(rowsOf(project(), [shown('FILTER', '12', [shown('READ_PARQUET', '34')])])).toEqual([777, 777]);
    expect(
      rowsOf(project(), [shown('PROJECTION', '12', [shown('READ_PARQUET', '3'), shown('READ_PARQUET', '4')])]),
    ).toEqual([12, 777]);
    expect(rowsOf(project(), [])).toEqual([777, 777]);
  });

  it('are 1,000 where nothing is known', () => {
    expect(rowsOf({ type: 'LOGICAL_DUMMY_SCAN', children: [] })).toEqual([1_000]);
  });
});
