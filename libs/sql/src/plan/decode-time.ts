// Constants of dates and times, which the engine's plan writes as counts since an epoch.
import { NotUnderstood } from './plan-fields.js';

/** How a constant is written. */
export interface Value {
  /** Cast to the type it is the value. */
  readonly sql: string;
  /** As the engine casts it to VARCHAR, where that can be said. */
  readonly text: string | undefined;
}

export const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
export const plain = (text: string): Value => ({ sql: literal(text), text });

const DAY_MS = 86_400_000;
/** The engine's dates and timestamps reach further than JavaScript's; far ones are left to it. */
const MS_MAX = 8.64e15;
const INT64_MAX = 9_223_372_036_854_775_807n;

/** A constant of a type by its count. Throws NotUnderstood for other types. */
export function timeConstant(typeId: string, count: string): Value {
  const value = BigInt(count);
  const unordered = (sql: string): Value => ({ sql, text: undefined });
  if (typeId === 'DATE') return dateOf(count);
  if (/^TIMESTAMP/.test(typeId)) {
    if (value === INT64_MAX) return unordered("'infinity'");
    if (value === -INT64_MAX) return unordered("'-infinity'");
  }
  switch (typeId) {
    case 'TIMESTAMP':
      return timestampOf(value);
    case 'TIMESTAMP WITH TIME ZONE':
      return unordered(`make_timestamptz(${count})`);
    case 'TIMESTAMP_S':
      return unordered(`make_timestamp(${microsOf(value * 1_000_000n)})`);
    case 'TIMESTAMP_MS':
      return unordered(`make_timestamp(${microsOf(value * 1_000n)})`);
    case 'TIMESTAMP_NS':
      return unordered(`make_timestamp_ns(${count})`);
    case 'TIME':
      return unordered(literal(clock(value, 6)));
    case 'TIME_NS':
      return unordered(literal(clock(value, 9)));
    case 'TIME WITH TIME ZONE':
      return unordered(literal(zonedClock(value)));
    default:
      throw new NotUnderstood(`a constant of type ${typeId}`);
  }
}

function microsOf(value: bigint): bigint {
  if (value > INT64_MAX || value < -INT64_MAX)
    throw new NotUnderstood('a timestamp of the very distant past or future');
  return value;
}

const two = (value: bigint): string => value.toString().padStart(2, '0');

/** A time of day of so many digits after the second. */
function clock(count: bigint, digits: number): string {
  const perSecond = 10n ** BigInt(digits);
  const seconds = count / perSecond;
  const fraction = (count % perSecond).toString().padStart(digits, '0');
  return `${two(seconds / 3_600n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}.${fraction}`;
}

/** The lower 24 bits say how far the offset is below the greatest one; the others are microseconds. */
const OFFSET_MAX = 57_599n;

function zonedClock(bits: bigint): string {
  const offset = OFFSET_MAX - (bits & 0xff_ff_ffn);
  const size = offset < 0n ? -offset : offset;
  const zone = `${offset < 0n ? '-' : '+'}${two(size / 3_600n)}:${two((size / 60n) % 60n)}:${two(size % 60n)}`;
  return clock(bits >> 24n, 6) + zone;
}

function dateOf(days: string): Value {
  const ms = Number(days) * DAY_MS;
  if (days === '2147483647') return { sql: "'infinity'", text: undefined };
  if (days === '-2147483647') return { sql: "'-infinity'", text: undefined };
  if (!isOrdinary(ms)) return { sql: `(DATE '1970-01-01' + CAST(${days} AS INTEGER))`, text: undefined };
  return plain(new Date(ms).toISOString().slice(0, 10));
}

function timestampOf(micros: bigint): Value {
  const ms = Number(micros / 1_000n);
  if (!isOrdinary(ms) || micros < 0n) return { sql: `make_timestamp(${micros})`, text: undefined };
  const fraction = (micros % 1_000_000n).toString().padStart(6, '0');
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
