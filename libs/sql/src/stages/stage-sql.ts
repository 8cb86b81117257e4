// Texts of which the SQL of a stage is made. Columns are c0, c1, ...; the input of a SELECT is `t`.
//   T1. Placeholders are written with marks that no text of a user has (safeText), and become {{...}} when a stage is closed.
import { expressionSql } from '../plan/expression-sql.js';
import type { PlanExpression, SortKey } from '../plan/plan.js';

/** Thrown and caught within the cut: the statement runs whole on one worker, for this reason. */
export class NotCuttable extends Error {}

const OPEN = '\uE000';
const CLOSE = '\uE001';

export const scanMark = (number: number): string => `${OPEN}scan:${number}${CLOSE}`;
export const readMark = (number: number): string => `${OPEN}read:${number}${CLOSE}`;
export const ONCE_MARK = `${OPEN}once${CLOSE}`;

/** Whether a table is scanned at a place within the text. */
export const readsTables = (sql: string): boolean => sql.includes(scanMark(0).slice(0, -2));

/** Replaces the marks of scans and reads by what `replace` gives for them, and those of {{once}}. */
export function replaceMarks(sql: string, replace: (kind: 'scan' | 'read', number: number) => string): string {
  return sql
    .replaceAll(/\uE000(scan|read):(\d+)\uE001/g, (_, kind: 'scan' | 'read', number: string) =>
      replace(kind, Number(number)),
    )
    .replaceAll(ONCE_MARK, '{{once}}');
}

/** T1: refuses a text of the user that could be taken for a placeholder. */
export function safeText(text: string): string {
  if (text.includes(OPEN) || text.includes('{{')) {
    throw new NotCuttable('a text in the statement looks like a placeholder of a stage');
  }
  return text;
}

/** A column of the input called `input`. */
export const column = (index: number, input = 't'): string => `${input}.c${index}`;

/** The SQL of an expression over the columns of the input called `input`. */
export const render = (expression: PlanExpression, input = 't'): string =>
  safeText(expressionSql(expression, (index) => column(index, input)));

/** A select list: the items become c0, c1, ... A relation may have no columns, and still has rows. */
export const selectList = (items: readonly string[]): string =>
  items.length === 0 ? 'NULL AS nothing' : items.map((item, index) => `${item} AS c${index}`).join(', ');

/** SELECT items FROM (from) AS t rest. */
export const selectFrom = (items: readonly string[], from: string, rest = ''): string =>
  `SELECT ${selectList(items)} FROM (${from}) AS t${rest}`;

/** All columns of the input, in order. */
export const allColumns = (count: number, input = 't'): string[] =>
  Array.from({ length: count }, (_, index) => column(index, input));

/** ORDER BY with a leading blank; empty without keys. Constants are left out: an integer would be taken for a position. */
export function orderBy(keys: readonly SortKey[]): string {
  const texts = keys
    .filter(({ expression }) => expression.kind !== 'constant')
    .map(
      ({ expression, descending, nullsFirst }) =>
        `${render(expression)} ${descending ? 'DESC' : 'ASC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`,
    );
  return texts.length === 0 ? '' : ` ORDER BY ${texts.join(', ')}`;
}

export const where = (predicates: readonly string[]): string =>
  predicates.length === 0 ? '' : ` WHERE ${predicates.map((predicate) => `(${predicate})`).join(' AND ')}`;
