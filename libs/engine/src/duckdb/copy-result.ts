// Results that the engine writes itself, into a named pipe that the parent reads.
import type { DuckDBType } from '@duckdb/node-api';
import { LINE_OPTIONS, selectLines } from './result-lines.js';
import { identifier, literal } from './sql-text.js';

export interface ResultCopy {
  readonly statement: string;
  /** What stands before the SELECT in the statement; positions of errors count from its start. */
  readonly before: string;
  readonly content: 'lines' | 'file';
}

/** Writes lines of JSON; undefined when the engine cannot write the lines that we would. */
export function copyLines(sql: string, types: readonly DuckDBType[], path: string): ResultCopy | undefined {
  const select = selectLines(sql, types);
  return select === undefined ? undefined : resultCopy(sql, select, path, LINE_OPTIONS, 'lines');
}

/** Writes a Parquet file. */
export function copyParquet(sql: string, names: readonly string[], path: string): ResultCopy {
  const columns = uniqueNames(names).map(identifier).join(', ');
  return resultCopy(sql, `SELECT * FROM (${sql}\n) AS t(${columns})`, path, 'FORMAT parquet', 'file');
}

function resultCopy(
  sql: string,
  select: string,
  path: string,
  options: string,
  content: ResultCopy['content'],
): ResultCopy {
  const statement = `COPY (${select}) TO ${literal(path)} (${options}, USE_TMP_FILE false)`;
  return { statement, before: statement.slice(0, statement.indexOf(`(${sql}\n)`) + 1), content };
}

/** Columns of a result may have one name; those of a file may not. */
function uniqueNames(names: readonly string[]): string[] {
  const used = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let n = 1; used.has(unique.toLowerCase()); n++) unique = `${name}_${n}`;
    used.add(unique.toLowerCase());
    return unique;
  });
}
