// A stage's SELECT that checks its own types: binding it a second time, only to look at them, takes longer than many stages run.
import type { TypedColumn } from '../stage-fragment.js';
import { readDuckdbError } from './duckdb-error.js';

const TYPES_DIFFER = 'columns of a stage have other names or types than planned';

/**
 * The rows of `sql`, or an error instead of the first one when its columns are not c0, c1, ... of the planned types; see
 * isTypesDiffer(). The engine compares the types while it binds the text: nothing of it is left in the plan. The error also comes
 * for an untyped NULL, which binding gives a type only where it is read. Undefined when there are no columns to compare.
 */
export function checkedSelect(sql: string, columns: readonly TypedColumn[]): string | undefined {
  if (columns.length === 0) return undefined;
  const planned = columns.map(({ nullSql }, index) => `c${index}: ${nullSql}`).join(', ');
  const check = `CASE WHEN typeof(t) = typeof({${planned}}) THEN true ELSE error('${TYPES_DIFFER}') END`;
  return `SELECT * FROM (${sql}\n) AS t WHERE ${check}`;
}

export const isTypesDiffer = (error: unknown): boolean => readDuckdbError(error).message.includes(TYPES_DIFFER);
