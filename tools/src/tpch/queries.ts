import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The numbers of the queries of TPC-H, 1 to 22. */
export const TPCH_QUERIES = Array.from({ length: 22 }, (_, index) => index + 1);

/**
 * The text of a query, with the parameters that the specification gives for validation and no semicolon. Tables are
 * named without catalog and schema. `scale` is the scale factor of the data; only query 11 depends on it.
 */
export function tpchQuery(root: string, number: number, scale = 1): string {
  const file = join(root, 'tools/src/tpch/queries', `q${String(number).padStart(2, '0')}.sql`);
  const text = readFileSync(file, 'utf8').trim().replace(/;$/, '');
  return number === 11 ? text.replace(/\* 0\.0001$/m, `* ${(0.0001 / scale).toFixed(7)}`) : text;
}
