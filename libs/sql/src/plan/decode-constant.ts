import { JsonNumber, type LosslessJson, type LosslessObject } from './lossless-json.js';
import type { PlanExpression, PlanType } from './plan.js';
import { literal, plain, timeConstant, type Value } from './decode-time.js';
import { arrayOf, NotUnderstood, objectOf, textOf } from './plan-fields.js';
import { typeFromPlan } from './plan-type.js';

type Constant = Extract<PlanExpression, { kind: 'constant' }>;

/** A constant of the engine's plan: {type, is_null, value}. Throws NotUnderstood. */
export function constantFromPlan(json: LosslessJson | undefined): Constant {
  const object = objectOf(json, 'a constant');
  const type = typeFromPlan(object['type']);
  if (object['is_null'] === true) return { kind: 'constant', sql: `CAST(NULL AS ${type.sql})`, text: undefined, type };
  const { sql, text } = valueOf(object['value'], type, object['type']);
  return { kind: 'constant', sql: `CAST(${sql} AS ${type.sql})`, text, type };
}

const WHOLE = /^U?(TINYINT|SMALLINT|BIGINT)$|^U?INTEGER$/;
function valueOf(value: LosslessJson | undefined, type: PlanType, typeJson: LosslessJson | undefined): Value {
  if (WHOLE.test(type.id)) return plain(numberText(value, type));
  switch (type.id) {
    case 'BOOLEAN':
      return { sql: value === true ? 'true' : 'false', text: undefined };
    case 'VARCHAR':
    case 'JSON': {
      const text = textOf(value, 'a text');
      if (text.includes('\0')) throw new NotUnderstood('a text with a zero character');
      return { sql: literal(text), text };
    }
    // Written with escapes, as a cast reads them.
    case 'BLOB':
      return unordered(literal(textOf(value, 'a BLOB')));
    case 'FLOAT':
    case 'DOUBLE':
      return unordered(literal(numberText(value, type)));
    case 'DECIMAL':
      return plain(decimalText(value, type));
    case 'HUGEINT':
      return plain(wideInteger(value).toString());
    case 'UHUGEINT':
      return unordered(literal(wideInteger(value).toString()));
    case 'UUID':
      return unordered(literal(uuidText(wideInteger(value))));
    case 'ENUM': {
      const values = arrayOf(objectOf(objectOf(typeJson, 'an ENUM')['type_info'], 'an ENUM')['values'], 'its values');
      return unordered(literal(textOf(values[Number(numberText(value, type))], 'a value of an ENUM')));
    }
    case 'LIST':
    case 'ARRAY':
      return unordered(`[${elements(value).map(elementSql).join(', ')}]`);
    case 'STRUCT': {
      const fields = elements(value).map(
        (field, index) => `"${(type.names?.[index] ?? '').replaceAll('"', '""')}" := ${elementSql(field)}`,
      );
      return unordered(`struct_pack(${fields.join(', ')})`);
    }
    case 'MAP': {
      const entries = elements(value).map((entry) => elements(objectOf(entry, 'an entry of a MAP')['value']));
      const side = (index: number): string => entries.map((entry) => elementSql(entry[index])).join(', ');
      return unordered(`map([${side(0)}], [${side(1)}])`);
    }
    case 'INTERVAL': {
      const { months, days, micros } = objectOf(value, 'an INTERVAL');
      const [m, d, us] = [months, days, micros].map((part) => numberText(part, type));
      return unordered(`to_months(${m}) + to_days(${d}) + to_microseconds(${us})`);
    }
    default:
      return timeConstant(type.id, numberText(value, type));
  }
}

const unordered = (sql: string): Value => ({ sql, text: undefined });
const elementSql = (json: LosslessJson | undefined): string => constantFromPlan(json).sql;
const elements = (value: LosslessJson | undefined): readonly LosslessJson[] =>
  arrayOf(objectOf(value, 'a nested constant')['children'], 'its elements');

function numberText(value: LosslessJson | undefined, type: PlanType): string {
  if (value instanceof JsonNumber) return value.text;
  throw new NotUnderstood(`a constant of type ${type.id} that is no number`);
}

/** Of 128 bits: by digits or in two halves. */
function wideInteger(value: LosslessJson | undefined): bigint {
  if (value instanceof JsonNumber) return BigInt(value.text);
  const { upper, lower } = objectOf(value, 'a HUGEINT') as LosslessObject;
  if (!(upper instanceof JsonNumber) || !(lower instanceof JsonNumber))
    throw new NotUnderstood('a HUGEINT without digits');
  return (BigInt(upper.text) << 64n) + BigInt(lower.text);
}

function decimalText(value: LosslessJson | undefined, type: PlanType): string {
  const scale = Number(/,(\d+)\)$/.exec(type.sql)?.[1] ?? 0);
  const unscaled = wideInteger(value);
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The engine keeps them as signed numbers in the order of their texts. */
function uuidText(value: bigint): string {
  const bits = BigInt.asUintN(128, value) ^ (1n << 127n);
  const hex = bits.toString(16).padStart(32, '0');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
