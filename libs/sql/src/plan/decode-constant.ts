import { JsonNumber, type LosslessJson, type LosslessObject } from './lossless-json.js';
import type { PlanExpression, PlanType } from './plan.js';
import { arrayOf, NotUnderstood, objectOf, textOf } from './plan-fields.js';
import { typeFromPlan } from './plan-type.js';

type Constant = Extract<PlanExpression, { kind: 'constant' }>;

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A constant of the engine's plan: {type, is_null, value}. Throws NotUnderstood. */
export function constantFromPlan(json: LosslessJson | undefined): Constant {
  const object = objectOf(json, 'a constant');
  const type = typeFromPlan(object['type']);
  if (object['is_null'] === true) return { kind: 'constant', sql: `CAST(NULL AS ${type.sql})`, text: undefined, type };
  const { sql, text } = valueOf(object['value'], type);
  return { kind: 'constant', sql: `CAST(${sql} AS ${type.sql})`, text, type };
}

interface Value {
  /** Cast to the type it is the value. */
  readonly sql: string;
  readonly text: string | undefined;
}

const WHOLE = /^U?(TINYINT|SMALLINT|BIGINT)$|^U?INTEGER$/;
const DAY_MS = 86_400_000;
/** The engine's dates and timestamps reach further than JavaScript's; far ones are left to it. */
const MS_MAX = 8.64e15;

function valueOf(value: LosslessJson | undefined, type: PlanType): Value {
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
    case 'FLOAT':
    case 'DOUBLE':
      return { sql: literal(numberText(value, type)), text: undefined };
    case 'DECIMAL':
      return plain(decimalText(value, type));
    case 'HUGEINT':
      return plain(hugeint(value).toString());
    case 'DATE':
      return dateOf(numberText(value, type));
    case 'TIMESTAMP':
      return timestampOf(numberText(value, type));
    case 'TIMESTAMP WITH TIME ZONE':
      return { sql: `make_timestamptz(${numberText(value, type)})`, text: undefined };
    case 'INTERVAL': {
      const { months, days, micros } = objectOf(value, 'an INTERVAL');
      const parts = [months, days, micros].map((part) => numberText(part, type));
      return { sql: `to_months(${parts[0]}) + to_days(${parts[1]}) + to_microseconds(${parts[2]})`, text: undefined };
    }
    case 'TIME':
      return { sql: `(TIME '00:00:00' + to_microseconds(${numberText(value, type)}))`, text: undefined };
    case 'LIST':
    case 'ARRAY':
      return {
        sql: `[${elements(value)
          .map((element) => constantFromPlan(element).sql)
          .join(', ')}]`,
        text: undefined,
      };
    case 'STRUCT': {
      const fields = elements(value).map((field, index) => {
        const name = (type.names?.[index] ?? '').replaceAll('"', '""');
        return `"${name}" := ${constantFromPlan(field).sql}`;
      });
      return { sql: `struct_pack(${fields.join(', ')})`, text: undefined };
    }
    default:
      throw new NotUnderstood(`a constant of type ${type.id}`);
  }
}

const plain = (text: string): Value => ({ sql: literal(text), text });

const elements = (value: LosslessJson | undefined): readonly LosslessJson[] =>
  arrayOf(objectOf(value, 'a nested constant')['children'], 'its elements');

function numberText(value: LosslessJson | undefined, type: PlanType): string {
  if (value instanceof JsonNumber) return value.text;
  throw new NotUnderstood(`a constant of type ${type.id} that is no number`);
}

function hugeint(value: LosslessJson | undefined): bigint {
  if (value instanceof JsonNumber) return BigInt(value.text);
  const { upper, lower } = objectOf(value, 'a HUGEINT') as LosslessObject;
  if (!(upper instanceof JsonNumber) || !(lower instanceof JsonNumber))
    throw new NotUnderstood('a HUGEINT without digits');
  return (BigInt(upper.text) << 64n) + BigInt(lower.text);
}

function decimalText(value: LosslessJson | undefined, type: PlanType): string {
  const scale = Number(/,(\d+)\)$/.exec(type.sql)?.[1] ?? 0);
  const unscaled = hugeint(value);
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function dateOf(days: string): Value {
  const ms = Number(days) * DAY_MS;
  if (days === '2147483647') return { sql: "'infinity'", text: undefined };
  if (days === '-2147483647') return { sql: "'-infinity'", text: undefined };
  if (!isOrdinary(ms)) return { sql: `(DATE '1970-01-01' + CAST(${days} AS INTEGER))`, text: undefined };
  return plain(new Date(ms).toISOString().slice(0, 10));
}

function timestampOf(micros: string): Value {
  const ms = Number(BigInt(micros) / 1_000n);
  if (!isOrdinary(ms) || BigInt(micros) < 0n) return { sql: `make_timestamp(${micros})`, text: undefined };
  const fraction = (BigInt(micros) % 1_000_000n).toString().padStart(6, '0');
  const seconds = new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
  return {
    sql: literal(`${seconds}.${fraction}`),
    text: fraction === '000000' ? seconds : `${seconds}.${fraction.replace(/0+$/, '')}`,
  };
}

/** Years 1 to 9999 are spelled alike by the engine and by JavaScript. */
function isOrdinary(ms: number): boolean {
  if (Math.abs(ms) > MS_MAX) return false;
  const year = new Date(ms).getUTCFullYear();
  return year >= 1 && year <= 9_999;
}
