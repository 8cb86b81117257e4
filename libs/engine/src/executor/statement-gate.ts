import { CONNECTION_SETTINGS, openInstance } from '../duckdb/open-instance.js';
import { QueryGate } from '../duckdb/query-gate.js';

/**
 * The gate of an executor. It parses in a database of its own, which no statement is run in and which can open nothing: so it
 * serves all databases of the executor, and none of them has to be made ready for it.
 */
export async function openStatementGate(): Promise<QueryGate> {
  const instance = await openInstance({ threads: '1', enable_external_access: 'false' });
  const connection = await instance.connect();
  await connection.run(`${CONNECTION_SETTINGS}; SET lock_configuration = true`);
  return QueryGate.open(connection);
}
