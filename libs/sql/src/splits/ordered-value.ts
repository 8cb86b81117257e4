// Values as whole numbers that are in the same order: statistics are texts, and texts of numbers are not in the order of numbers.

const WHOLE_NUMBER = /^[+-]?\d{1,40}$/;
const DECIMAL_NUMBER = /^([+-]?)(\d{0,40})(?:\.(\d{0,40}))?$/;
const DATE = /^(\d{4,6})-(\d{2})-(\d{2})$/;
const TIMESTAMP = /^(\d{4,6}-\d{2}-\d{2})[ T](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?$/;

const INTEGERS = new Set([
  ...['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT'],
  ...['UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT', 'UHUGEINT'],
]);

type Order = (text: string) => bigint | undefined;

/**
 * A number for the value `text` of a type in SQL, greater for greater values and equal for equal ones. Undefined where that is
 * not known for sure: other types, and values such as infinity.
 */
export function orderedValue(text: string, typeSql: string): bigint | undefined {
  return orderOf(typeSql)?.(text.trim());
}

/** Whether values of the type can be compared by their texts at all. */
export const isOrderedType = (typeSql: string): boolean => orderOf(typeSql) !== undefined;

function orderOf(typeSql: string): Order | undefined {
  if (INTEGERS.has(typeSql)) return (text) => (WHOLE_NUMBER.test(text) ? BigInt(text.replace('+', '')) : undefined);
  if (typeSql === 'DATE') return dayOf;
  if (typeSql === 'TIMESTAMP') return nanosecondOf;
  const scale = /^DECIMAL\(\d+,\s*(\d+)\)$/.exec(typeSql)?.[1];
  return scale === undefined ? undefined : (text) => unscaled(text, Number(scale));
}

/** A decimal number times ten to the power of `scale`; undefined when it has more digits than that behind the point. */
function unscaled(text: string, scale: number): bigint | undefined {
  const [, sign, whole = '', fraction = ''] = DECIMAL_NUMBER.exec(text) ?? [];
  if (sign === undefined || whole + fraction === '') return undefined;
  const digits = fraction.replace(/0+$/, '');
  if (digits.length > scale) return undefined;
  const value = BigInt(whole + digits.padEnd(scale, '0'));
  return sign === '-' ? -value : value;
}

const DAYS_OF_400_YEARS = 146_097n;
const MS_PER_DAY = 86_400_000n;

/** Days in the Gregorian calendar, which the engine takes to go back for ever. Dates before Christ are not understood. */
function dayOf(text: string): bigint | undefined {
  const [, year, month, day] = DATE.exec(text) ?? [];
  if (year === undefined) return undefined;
  // The calendar repeats every 400 years: the same day of a year from 2000 to 2399, since two digits are taken for 19xx.
  const shifts = Math.floor(Number(year) / 400) - 5;
  const date = Date.UTC(Number(year) - shifts * 400, Number(month) - 1, Number(day));
  const back = new Date(date);
  if (back.getUTCMonth() !== Number(month) - 1 || back.getUTCDate() !== Number(day)) return undefined;
  return BigInt(date) / MS_PER_DAY + BigInt(shifts) * DAYS_OF_400_YEARS;
}

function nanosecondOf(text: string): bigint | undefined {
  const [, date, hour, minute, second, fraction = ''] = TIMESTAMP.exec(text) ?? [];
  const day = dayOf(date ?? '');
  if (day === undefined || Number(hour) > 24 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const seconds = day * 86_400n + BigInt(Number(hour) * 3_600 + Number(minute) * 60 + Number(second));
  return seconds * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}
