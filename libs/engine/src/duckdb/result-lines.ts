// Lines of JSON that the engine writes itself: for many rows, since making them in JavaScript takes several times as long.
//   L1. A line is byte for byte what JsonLines makes of the same row (json-lines.ts, json-value.ts). Types for which that is not
//       so have no lines here, and results with a column of such a type are sent the other way.
import { type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';

/** A SELECT with one column, the lines of the rows of `sql`; undefined when a type has none. */
export function selectLines(sql: string, types: readonly DuckDBType[]): string | undefined {
  const columns = types.map((type, index) => lineColumn(type, `v${index}`));
  const known = columns.filter((column) => column !== undefined);
  if (known.length !== types.length || known.length === 0) return undefined;
  const texts = known.map(({ text }, index) => `${text} AS v${index}`).join(', ');
  const values = known.map(
    ({ json }, index) => `coalesce(${json}, 'null')${index === known.length - 1 ? '' : " || ','"}`,
  );
  const names = types.map((_, index) => `v${index}`).join(', ');
  // The texts have a SELECT of their own: they are used several times, and made once.
  return `SELECT '[' || ${values.join(' || ')} || ']' FROM (SELECT ${texts} FROM (${sql}\n) AS t(${names})) AS t`;
}

function lineColumn(type: DuckDBType, v: string): LineColumn | undefined {
  // The engine leaves out the zero before the point where there is room for none.
  if (type.typeId === DuckDBTypeId.DECIMAL && type.scale === type.width) return undefined;
  return COLUMNS.get(type.typeId)?.(v);
}

/** How a column is written: its value as text, made once, and JSON made of that text, which is NULL for NULL. */
interface LineColumn {
  readonly text: string;
  readonly json: string;
}

/** Spelled without quotes. */
const bare = (v: string): LineColumn => ({ text: `CAST(${v} AS VARCHAR)`, json: v });
/** Letters, digits and signs, of which none has to be escaped. */
const quoted = (v: string): LineColumn => ({ text: `CAST(${v} AS VARCHAR)`, json: `'"' || ${v} || '"'` });

/** JSON escapes of control characters have capital letters here and small ones there; both are rare. */
const CONTROLS = [11, 14, 15, 26, 27, 28, 29, 30, 31]
  .map((code) => `WHEN chr(${code}) THEN '\\u00${code.toString(16).padStart(2, '0')}'`)
  .join(' ');

function text(v: string): LineColumn {
  const json = `CAST(to_json(${v}) AS VARCHAR)`;
  const letter = `CASE letter ${CONTROLS} ELSE array_slice(CAST(to_json(letter) AS VARCHAR), 2, -2) END`;
  const letters = `list_transform(string_split(${v}, ''), lambda letter: ${letter})`;
  return {
    text: `CAST(${v} AS VARCHAR)`,
    json: `CASE WHEN contains(${json}, '\\u00') THEN '"' || array_to_string(${letters}, '') || '"' ELSE ${json} END`,
  };
}

/** The engine and JavaScript both write the fewest digits that tell a number from all others, and place the point differently. */
function float(v: string): LineColumn {
  const digits = `replace(replace(split_part(${v}, 'e', 1), '.', ''), '-', '')`;
  const sign = `CASE WHEN ${v} LIKE '-%' THEN '-' ELSE '' END`;
  const exponent = `CAST(split_part(${v}, 'e', 2) AS INTEGER)`;
  return {
    text: `CAST(${v} AS VARCHAR)`,
    json: `CASE
      WHEN ${v} IN ('nan', '-nan') THEN '"NaN"' WHEN ${v} = 'inf' THEN '"Infinity"' WHEN ${v} = '-inf' THEN '"-Infinity"'
      WHEN ${v} = '-0.0' THEN ${v}
      WHEN suffix(${v}, '.0') THEN left(${v}, -2)
      WHEN NOT contains(${v}, 'e') OR ${exponent} > 20 THEN ${v}
      WHEN ${exponent} > 0 THEN ${sign} || rpad(${digits}, ${exponent} + 1, '0')
      WHEN ${exponent} > -7 THEN ${sign} || '0.' || repeat('0', -1 - ${exponent}) || ${digits}
      ELSE replace(${v}, 'e-0', 'e-') END`,
  };
}

const COLUMNS: ReadonlyMap<DuckDBTypeId, (v: string) => LineColumn> = new Map([
  [DuckDBTypeId.BOOLEAN, bare],
  [DuckDBTypeId.TINYINT, bare],
  [DuckDBTypeId.SMALLINT, bare],
  [DuckDBTypeId.INTEGER, bare],
  [DuckDBTypeId.UTINYINT, bare],
  [DuckDBTypeId.USMALLINT, bare],
  [DuckDBTypeId.UINTEGER, bare],
  [DuckDBTypeId.SQLNULL, bare],
  [DuckDBTypeId.BIGINT, quoted],
  [DuckDBTypeId.UBIGINT, quoted],
  [DuckDBTypeId.HUGEINT, quoted],
  [DuckDBTypeId.UHUGEINT, quoted],
  [DuckDBTypeId.DECIMAL, quoted],
  [DuckDBTypeId.DOUBLE, float],
  [DuckDBTypeId.VARCHAR, text],
  [DuckDBTypeId.ENUM, text],
  [DuckDBTypeId.DATE, quoted],
  [DuckDBTypeId.TIME, quoted],
  [DuckDBTypeId.TIMESTAMP, quoted],
  [DuckDBTypeId.TIMESTAMP_TZ, quoted],
  [DuckDBTypeId.UUID, quoted],
  [DuckDBTypeId.BIT, quoted],
  [DuckDBTypeId.INTERVAL, quoted],
  [DuckDBTypeId.BIGNUM, quoted],
  [DuckDBTypeId.TIME_TZ, quoted],
]);

/** Options of COPY for lines as they are. No line has a control character, which is why one can be the delimiter. */
export const LINE_OPTIONS = `FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER E'\\x01'`;
