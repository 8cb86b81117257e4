// Lines of JSON that the engine writes itself: for many rows, since making them in JavaScript takes several times as long.
//   L1. A line is byte for byte what JsonLines makes of the same row (json-lines.ts, json-value.ts). Types for which that is not
//       so have no lines here, and results with a column of such a type are sent the other way.
import { type DuckDBType, DuckDBTypeId } from '@duckdb/node-api';

/** A SELECT with one column, the lines of the rows of `sql`; undefined when a type has none. */
export function selectLines(sql: string, types: readonly DuckDBType[]): string | undefined {
  const columns = types.map((type, index) => lineColumn(type, `v${index}`));
  const known = columns.filter((column) => column !== undefined);
  if (known.length !== types.length || known.length === 0) return undefined;
  const names = types.map((_, index) => `v${index}`).join(', ');
  const line = `CASE ${fastLines(known, types).join(' ')} END`;
  const values = known.map(({ json }, i) => `coalesce(${json}, 'null')${i === known.length - 1 ? '' : " || ','"}`);
  // The engine's escapes of control characters have capital letters and ours small ones; both are rare.
  const isOther = `line IS NULL OR contains(line, '\\u00')`;
  // The line has a SELECT of its own: it is used several times, and made once.
  return `SELECT CASE WHEN ${isOther} THEN '[' || ${values.join(' || ')} || ']' ELSE line END FROM (SELECT ${names}, ${line} AS line FROM (${sql}\n) AS t(${names})) AS t`;
}

/**
 * One call makes the line of a row, several times faster than joining its values. It spells whole floats in another way: rows
 * whose floats are all whole have them as integers, and rows with both kinds are left to be joined.
 */
function fastLines(columns: readonly LineColumn[], types: readonly DuckDBType[]): string[] {
  const line = (values: readonly string[]) => `CAST(json_array(${values.join(', ')}) AS VARCHAR)`;
  const plain = columns.map(({ value }) => value);
  const floats = columns.filter((_, index) => types[index]?.typeId === DuckDBTypeId.DOUBLE).map(({ value }) => value);
  if (floats.length === 0) return [`WHEN true THEN ${line(plain)}`];
  const all = (test: (v: string) => string) => floats.map((v) => `(${v} IS NULL OR ${test(v)})`).join(' AND ');
  const whole = plain.map((v) => (floats.includes(v) ? `CAST(${v} AS BIGINT)` : v));
  return [`WHEN ${all(isFraction)} THEN ${line(plain)}`, `WHEN ${all(isWhole)} THEN ${line(whole)}`];
}

function lineColumn(type: DuckDBType, v: string): LineColumn | undefined {
  // The engine leaves out the zero before the point where there is room for none.
  if (type.typeId === DuckDBTypeId.DECIMAL && type.scale === type.width) return undefined;
  return COLUMNS.get(type.typeId)?.(v);
}

/** How a column is written: as a value of json_array, and alone as the text of JSON, which is NULL for NULL. */
interface LineColumn {
  readonly value: string;
  readonly json: string;
}

/** Spelled without quotes. */
const bare = (v: string): LineColumn => ({ value: v, json: `CAST(${v} AS VARCHAR)` });
/** Letters, digits and signs, of which none has to be escaped. */
const quoted = (v: string): LineColumn => ({
  value: `CAST(${v} AS VARCHAR)`,
  json: `'"' || CAST(${v} AS VARCHAR) || '"'`,
});

const CONTROLS = [11, 14, 15, 26, 27, 28, 29, 30, 31]
  .map((code) => `WHEN chr(${code}) THEN '\\u00${code.toString(16).padStart(2, '0')}'`)
  .join(' ');

function text(v: string): LineColumn {
  const string = `CAST(${v} AS VARCHAR)`;
  const json = `CAST(to_json(${string}) AS VARCHAR)`;
  const letter = `CASE letter ${CONTROLS} ELSE array_slice(CAST(to_json(letter) AS VARCHAR), 2, -2) END`;
  const letters = `list_transform(string_split(${string}, ''), lambda letter: ${letter})`;
  return {
    value: string,
    json: `CASE WHEN contains(${json}, '\\u00') THEN '"' || array_to_string(${letters}, '') || '"' ELSE ${json} END`,
  };
}

/** Digits of it stand behind the point: it is finite, and JavaScript and json_array spell it in the same way. */
const isFraction = (v: string): string => `${v} <> trunc(${v})`;
/** Spelled as an integer; above 2^53 the last digits would differ. */
const isWhole = (v: string): string =>
  `${v} = trunc(${v}) AND abs(${v}) <= 9007199254740992 AND (${v} <> 0 OR NOT signbit(${v}))`;

function float(v: string): LineColumn {
  const json = `CASE WHEN ${isFraction(v)} THEN CAST(to_json(${v}) AS VARCHAR) WHEN ${isWhole(v)} THEN CAST(CAST(${v} AS BIGINT) AS VARCHAR) ELSE ${rareFloat(`CAST(${v} AS VARCHAR)`)} END`;
  return { value: v, json };
}

/** The engine and JavaScript both write the fewest digits that tell a number from all others, and place the point differently. */
function rareFloat(v: string): string {
  const digits = `replace(replace(split_part(${v}, 'e', 1), '.', ''), '-', '')`;
  const sign = `CASE WHEN ${v} LIKE '-%' THEN '-' ELSE '' END`;
  const exponent = `CAST(split_part(${v}, 'e', 2) AS INTEGER)`;
  return `CASE
      WHEN ${v} IN ('nan', '-nan') THEN '"NaN"' WHEN ${v} = 'inf' THEN '"Infinity"' WHEN ${v} = '-inf' THEN '"-Infinity"'
      WHEN ${v} = '-0.0' THEN ${v}
      WHEN suffix(${v}, '.0') THEN left(${v}, -2)
      WHEN NOT contains(${v}, 'e') OR ${exponent} > 20 THEN ${v}
      ELSE ${sign} || rpad(${digits}, ${exponent} + 1, '0') END`;
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
