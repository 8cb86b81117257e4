// Whether two engines gave the same rows. Floating point is compared at about ten digits, since sums in another order differ
// in the last ones; NaN equals NaN, and both zeros are equal, since either may stand for a group of both.
import type { Json } from '@duckdb/node-api';

/** ordered: row by row. bag: in any order. count: only how many, where the statement leaves open which. */
export type Comparison = 'ordered' | 'bag' | 'count';

export type Rows = readonly (readonly Json[])[];

/** Rows of a bag that differ in their text, and are looked at number by number. */
const LOOSE_MAX = 2_000;
const SHOWN_ROWS = 5;
const SHOWN_LETTERS = 300;

/** What differs, or undefined. */
export function compareRows(expected: Rows, actual: Rows, comparison: Comparison): string | undefined {
  if (expected.length !== actual.length)
    return `${expected.length} rows expected, ${actual.length} found${sample(expected, actual)}`;
  if (comparison === 'count') return undefined;
  if (comparison === 'ordered') {
    const at = expected.findIndex((row, index) => !sameRow(row, actual[index] ?? []));
    return at < 0 ? undefined : `row ${at + 1} is ${show(actual[at])}, expected ${show(expected[at])}`;
  }
  return compareBags(expected, actual);
}

function compareBags(expected: Rows, actual: Rows): string | undefined {
  const left = new Map<string, (readonly Json[])[]>();
  for (const row of expected) {
    const key = keyOf(row);
    const same = left.get(key);
    if (same === undefined) left.set(key, [row]);
    else same.push(row);
  }
  const extra = actual.filter((row) => left.get(keyOf(row))?.pop() === undefined);
  const missing = [...left.values()].flat();
  if (extra.length === 0) return undefined;
  if (extra.length <= LOOSE_MAX && matchLoosely(missing, extra)) return undefined;
  const shown = (rows: Rows): string => rows.slice(0, SHOWN_ROWS).map(show).join('\n    ');
  return `${extra.length} of ${actual.length} rows differ\n  missing:\n    ${shown(missing)}\n  instead:\n    ${shown(extra)}`;
}

/** Rounding may tear equal numbers apart: 0.4999999 and 0.5000001. */
function matchLoosely(missing: Rows, extra: Rows): boolean {
  const open = [...missing];
  return extra.every((row) => {
    const at = open.findIndex((other) => sameRow(other, row));
    if (at >= 0) open.splice(at, 1);
    return at >= 0;
  });
}

const keyOf = (row: readonly Json[]): string =>
  JSON.stringify(row, (_, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(9)) + 0 : value));

const sameRow = (a: readonly Json[], b: readonly Json[]): boolean =>
  a.length === b.length && a.every((value, index) => sameValue(value, b[index] ?? null));

function sameValue(a: Json, b: Json): boolean {
  if (typeof a === 'number' && typeof b === 'number') return sameNumber(a, b);
  if (Array.isArray(a) && Array.isArray(b)) return sameRow(a, b);
  if (isObject(a) && isObject(b)) {
    const keys = Object.keys(a);
    const sameKeys = keys.length === Object.keys(b).length;
    return sameKeys && keys.every((key) => key in b && sameValue(a[key] ?? null, b[key] ?? null));
  }
  return a === b;
}

const isObject = (value: Json): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const sameNumber = (a: number, b: number): boolean =>
  a === b || Math.abs(a - b) <= Math.max(1e-9, 1e-10 * Math.max(Math.abs(a), Math.abs(b)));

function sample(expected: Rows, actual: Rows): string {
  const all = new Map<string, number>();
  for (const row of expected) all.set(keyOf(row), (all.get(keyOf(row)) ?? 0) + 1);
  for (const row of actual) all.set(keyOf(row), (all.get(keyOf(row)) ?? 0) - 1);
  const differing = [...all].filter(([, count]) => count !== 0).slice(0, SHOWN_ROWS);
  return differing
    .map(([row, count]) => `\n  ${Math.abs(count)} too ${count > 0 ? 'few' : 'many'}: ${row.slice(0, SHOWN_LETTERS)}`)
    .join('');
}

const show = (row: readonly Json[] | undefined): string => JSON.stringify(row ?? null).slice(0, SHOWN_LETTERS);
