// The SQL of a stage with what one task reads filled in.
import type { FragmentIo } from '../engine.js';
import type { FilePart, StageTaskFragment } from '../stage-fragment.js';
import { readerCall } from './reader-sql.js';
import { identifier, literals } from './sql-text.js';

const PLACEHOLDER = /\{\{(?:(scan|read):(\d+)|once)\}\}/g;

/** Replaces the placeholders of a stage. Throws when there is nothing for one: a bug of whoever made the stage. */
export function fillIn({ sql, index, scans, reads }: StageTaskFragment, inputs: FragmentIo['inputs']): string {
  return sql.replace(PLACEHOLDER, (placeholder, kind: 'scan' | 'read' | undefined, digits: string) => {
    if (kind === undefined) return String(index === 0);
    const number = Number(digits);
    if (kind === 'scan') {
      const scan = scans.find((one) => one.number === number);
      if (scan !== undefined) return `(${scanSql(scan)})`;
    } else {
      const read = reads.find((one) => one.number === number);
      const files = inputs.find((one) => one.number === number)?.files;
      if (read !== undefined && files !== undefined) return `(${readSql(read.nulls, files)})`;
    }
    throw new Error(`nothing was sent for ${placeholder}`);
  });
}

type Scan = StageTaskFragment['scans'][number];

function scanSql({ source, columns, parts }: Scan): string {
  const names = columns.map(({ name }, index) => `${identifier(name)} AS c${index}`);
  // A relation may have no columns, and still has rows.
  const select = `SELECT ${names.length === 0 ? 'NULL AS nothing' : names.join(', ')}`;
  const whole = parts.filter(isWhole).map(({ path }) => path);
  const selects = whole.length === 0 ? [] : [`${select} FROM ${readerCall({ ...source, files: whole })}`];
  for (const part of parts.filter((one) => !isWhole(one)))
    selects.push(`${select} FROM ${readerCall({ ...source, files: [part.path] })} WHERE ${rowRange(part)}`);
  return selects.length === 0 ? emptySql(columns.map(({ nullSql }) => nullSql)) : selects.join(' UNION ALL ');
}

const isWhole = ({ firstRow, endRow }: FilePart): boolean => firstRow === 0 && endRow === undefined;

/** The engine skips the row groups outside of the range; each condition is looked at for every row. */
const rowRange = ({ firstRow, endRow }: FilePart): string =>
  [
    ...(firstRow > 0 ? [`file_row_number >= ${firstRow}`] : []),
    ...(endRow !== undefined ? [`file_row_number < ${endRow}`] : []),
  ].join(' AND ');

function readSql(nulls: readonly string[], files: readonly string[]): string {
  if (files.length === 0) return emptySql(nulls);
  return `SELECT * FROM read_parquet(${literals(files)}, hive_partitioning = false, union_by_name = false)`;
}

const emptySql = (nulls: readonly string[]): string =>
  `SELECT ${nulls.length === 0 ? 'NULL AS nothing' : nulls.map((sql, index) => `${sql} AS c${index}`).join(', ')} WHERE false`;
