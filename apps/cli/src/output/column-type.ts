// Reads SQL type names as the server sends them, as far as the output needs to: which values are numbers, and where
// numbers sit inside lists, structs and maps. Pure.

/** A column of a result. */
export interface ResultColumn {
  readonly name: string;
  /** The SQL type, for example "BIGINT" or "STRUCT(a INTEGER)". */
  readonly type: string;
}

/** What matters about a type. `wide` numbers arrive as JSON strings, so that no reader rounds them. */
export type ColumnType =
  | { readonly kind: 'number'; readonly wide: boolean }
  | { readonly kind: 'list'; readonly element: ColumnType; readonly hasWide: boolean }
  | { readonly kind: 'struct'; readonly fields: ReadonlyMap<string, ColumnType>; readonly hasWide: boolean }
  | { readonly kind: 'map'; readonly key: ColumnType; readonly value: ColumnType; readonly hasWide: boolean }
  | { readonly kind: 'other' };

const WIDE = new Set(['BIGINT', 'UBIGINT', 'HUGEINT', 'UHUGEINT', 'DECIMAL', 'NUMERIC', 'BIGNUM', 'VARINT']);
const NARROW = new Set([
  ...['TINYINT', 'SMALLINT', 'INTEGER', 'UTINYINT', 'USMALLINT', 'UINTEGER'],
  ...['FLOAT', 'REAL', 'DOUBLE'],
]);

/** Reads a type name. A name that is not known is `other`: its values are shown as they come. */
export function parseColumnType(text: string): ColumnType {
  const name = text.trim();
  const list = /^([^]*)\[\d*\]$/.exec(name);
  if (list?.[1] !== undefined) {
    const element = parseColumnType(list[1]);
    return { kind: 'list', element, hasWide: hasWideNumbers(element) };
  }
  const nested = /^(STRUCT|UNION|MAP)\(([^]*)\)$/i.exec(name);
  if (nested?.[1] !== undefined && nested[2] !== undefined) {
    const parts = splitAtCommas(nested[2]);
    return nested[1].toUpperCase() === 'MAP' ? mapType(parts) : structType(parts);
  }
  const word = /^[A-Za-z]+/.exec(name)?.[0].toUpperCase() ?? '';
  if (WIDE.has(word)) return { kind: 'number', wide: true };
  return NARROW.has(word) ? { kind: 'number', wide: false } : { kind: 'other' };
}

/** Whether values of this type can hold numbers that arrive as strings. */
export function hasWideNumbers(type: ColumnType): boolean {
  if (type.kind === 'other') return false;
  return type.kind === 'number' ? type.wide : type.hasWide;
}

function mapType(parts: string[]): ColumnType {
  const [key, value] = [parseColumnType(parts[0] ?? ''), parseColumnType(parts[1] ?? '')];
  return { kind: 'map', key, value, hasWide: hasWideNumbers(key) || hasWideNumbers(value) };
}

function structType(parts: string[]): ColumnType {
  const fields = new Map<string, ColumnType>();
  for (const part of parts) {
    const field = /^\s*(?:"((?:[^"]|"")*)"|(\S+))\s+([^]*)$/.exec(part);
    if (field !== null) fields.set(field[1]?.replaceAll('""', '"') ?? field[2] ?? '', parseColumnType(field[3] ?? ''));
  }
  return { kind: 'struct', fields, hasWide: [...fields.values()].some(hasWideNumbers) };
}

/** Splits at the commas outside parentheses and quotes. */
function splitAtCommas(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let depth = 0;
  for (const match of text.matchAll(/"(?:[^"]|"")*"|'(?:[^']|'')*'|[(),]/g)) {
    if (match[0] === '(') depth += 1;
    if (match[0] === ')') depth -= 1;
    if (match[0] !== ',' || depth > 0) continue;
    parts.push(text.slice(start, match.index));
    start = match.index + 1;
  }
  return [...parts, text.slice(start)];
}
