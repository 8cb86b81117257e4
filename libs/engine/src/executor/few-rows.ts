// Results of which no more rows are expected than the engine hands over at a time: they are fetched. Of more rows the engine makes
// the lines faster, and binds several times as long for that.
import type { DuckDBConnection, DuckDBResult } from '@duckdb/node-api';
import { type DuckdbError, readDuckdbError } from '../duckdb/duckdb-error.js';
import { FEW_ROWS } from '../duckdb/likely-few.js';
import { throwMoved } from './result-run.js';

const BEFORE = 'SELECT * FROM (';

/**
 * All rows of a SELECT; undefined when there are more than FEW_ROWS, or when its text has to be bound on its own for the engine to
 * say what is wrong with it. Throws EngineError.
 */
export async function fetchFew(connection: DuckDBConnection, sql: string): Promise<DuckDBResult | undefined> {
  try {
    const result = await connection.run(`${BEFORE}${sql}\n) AS t LIMIT ${FEW_ROWS + 1}`);
    return result.rowCount > FEW_ROWS ? undefined : result;
  } catch (error) {
    if (isOfText(readDuckdbError(error))) return undefined;
    return throwMoved(error, BEFORE);
  }
}

/** Whether an error may only mean that the text is not where it was meant to stand. */
export const isOfText = ({ type }: DuckdbError): boolean => type === 'Parser' || type === 'Binder';
