// Values as JSON text, as tutti.query.v1.Rows describes them; nothing is rounded and nothing is dropped.
import {
  type DuckDBArrayValue,
  type DuckDBDateValue,
  type DuckDBListValue,
  type DuckDBMapValue,
  type DuckDBStructValue,
  type DuckDBType,
  DuckDBTypeId,
  type DuckDBUnionValue,
  type DuckDBValue,
} from '@duckdb/node-api';

/** Turns one value of a type into JSON text. */
export type ToJson = (value: DuckDBValue) => string;

/** The writer for a type; made once per column and result. */
export function jsonWriter(type: DuckDBType): ToJson {
  const write = writerOf(type);
  return (value) => (value === null ? 'null' : write(value));
}

function writerOf(type: DuckDBType): ToJson {
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
    case DuckDBTypeId.TINYINT:
    case DuckDBTypeId.SMALLINT:
    case DuckDBTypeId.INTEGER:
    case DuckDBTypeId.UTINYINT:
    case DuckDBTypeId.USMALLINT:
    case DuckDBTypeId.UINTEGER:
      return String;
    case DuckDBTypeId.BIGINT:
    case DuckDBTypeId.UBIGINT:
    case DuckDBTypeId.HUGEINT:
    case DuckDBTypeId.UHUGEINT:
    case DuckDBTypeId.BIGNUM:
    case DuckDBTypeId.DECIMAL:
      // Digits and signs only: nothing to escape.
      return (value) => `"${String(value)}"`;
    case DuckDBTypeId.DOUBLE:
      return (value) => floatText(value as number);
    case DuckDBTypeId.FLOAT:
      return (value) => floatText(shortestFloat(value as number));
    case DuckDBTypeId.DATE:
      return (value) => `"${dateText(value as DuckDBDateValue)}"`;
    case DuckDBTypeId.LIST: {
      const item = jsonWriter(type.valueType);
      return (value) => listText((value as DuckDBListValue).items, item);
    }
    case DuckDBTypeId.ARRAY: {
      const item = jsonWriter(type.valueType);
      return (value) => listText((value as DuckDBArrayValue).items, item);
    }
    case DuckDBTypeId.STRUCT:
      return structWriter(type.entryNames, type.entryTypes);
    case DuckDBTypeId.MAP:
      return mapWriter(type.keyType, type.valueType);
    case DuckDBTypeId.UNION: {
      const members = new Map(type.memberTags.map((tag, i) => [tag, jsonWriter(type.memberTypes[i] as DuckDBType)]));
      return (value) => {
        const union = value as DuckDBUnionValue;
        return `{${JSON.stringify(union.tag)}:${members.get(union.tag)?.(union.value) ?? 'null'}}`;
      };
    }
    default:
      // As SQL prints them: texts, blobs, timestamps, times, intervals, UUIDs, enums, bits.
      return (value) => JSON.stringify(String(value));
  }
}

const listText = (items: readonly DuckDBValue[], item: ToJson): string => `[${items.map(item).join(',')}]`;

function structWriter(names: readonly string[], types: readonly DuckDBType[]): ToJson {
  const fields = names.map((name, i) => {
    const write = jsonWriter(types[i] as DuckDBType);
    const key = JSON.stringify(name);
    return (entries: DuckDBStructValue['entries']) => `${key}:${write(entries[name] ?? null)}`;
  });
  return (value) => `{${fields.map((field) => field((value as DuckDBStructValue).entries)).join(',')}}`;
}

/** Maps with plain keys become objects; maps whose keys are lists or structs become lists of {key, value}. */
function mapWriter(keyType: DuckDBType, valueType: DuckDBType): ToJson {
  const key = jsonWriter(keyType);
  const item = jsonWriter(valueType);
  if (NESTED.has(keyType.typeId))
    return (value) =>
      `[${(value as DuckDBMapValue).entries.map((entry) => `{"key":${key(entry.key)},"value":${item(entry.value)}}`).join(',')}]`;
  const keyText = (value: DuckDBValue): string => {
    const text = key(value);
    return text.startsWith('"') ? text : `"${text}"`;
  };
  return (value) =>
    `{${(value as DuckDBMapValue).entries.map((entry) => `${keyText(entry.key)}:${item(entry.value)}`).join(',')}}`;
}

const NESTED = new Set([
  DuckDBTypeId.LIST,
  DuckDBTypeId.ARRAY,
  DuckDBTypeId.STRUCT,
  DuckDBTypeId.MAP,
  DuckDBTypeId.UNION,
  DuckDBTypeId.VARIANT,
]);

/** JSON has no NaN and no infinities: they are strings. Minus zero keeps its sign. */
function floatText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0.0' : String(value);
  return Number.isNaN(value) ? '"NaN"' : value > 0 ? '"Infinity"' : '"-Infinity"';
}

/** The number with the fewest digits that is the same 32-bit float: 0.1, not 0.10000000149011612. */
function shortestFloat(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return value;
}

const DATE_INFINITY_DAYS = 2_147_483_647;

function dateText(value: DuckDBDateValue): string {
  if (value.days === DATE_INFINITY_DAYS) return 'infinity';
  return value.days === -DATE_INFINITY_DAYS ? '-infinity' : value.toString();
}

/** Whether a type contains a struct without field names, such as row(1, 2): it has no form as an object. */
export function hasUnnamedFields(type: DuckDBType): boolean {
  switch (type.typeId) {
    case DuckDBTypeId.STRUCT:
      return type.entryNames.includes('') || type.entryTypes.some(hasUnnamedFields);
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return hasUnnamedFields(type.valueType);
    case DuckDBTypeId.MAP:
      return hasUnnamedFields(type.keyType) || hasUnnamedFields(type.valueType);
    case DuckDBTypeId.UNION:
      return type.memberTypes.some(hasUnnamedFields);
    default:
      return false;
  }
}
