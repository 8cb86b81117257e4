// Chance in SQL: every random value is a pure function of the name of its column and the key of its row.
//   R1. A row depends on nothing but its key and the scale: not on other rows, parts or threads, nor on the version of
//       the engine (which is why the engine's own hash() is not used).
//   R2. Different names give unrelated values for the same key.
import { seededRandom, randomInt } from '@tutti/base';
import { POOL_LENGTH } from './words.js';

const MASK = 2 ** 32 - 1;

/**
 * Chosen such that the rare conditions of queries 17 to 20 find rows even at the smallest
 * scale, where one row in a million is none.
 */
const SEED = 67;

/** Macros that the expressions below need. The mixer is `lowbias32` by Chris Wellons (public domain). */
export const RANDOM_MACROS = [
  'CREATE MACRO tpch_mix1(x) AS (xor(x, x >> 16) * 2146121005) & 4294967295',
  'CREATE MACRO tpch_mix2(x) AS (xor(x, x >> 15) * 2221713035) & 4294967295',
  'CREATE MACRO tpch_mix(x) AS xor(tpch_mix2(tpch_mix1(x)), tpch_mix2(tpch_mix1(x)) >> 16)',
];

/** FNV-1a, 32 bits (Fowler, Noll, Vo): the number of a name. */
function nameHash(name: string): number {
  let hash = 0x811c9dc5;
  for (const char of name) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return hash >>> 0;
}

/** SQL for 32 random bits of a row. `key` is a BIGINT expression from 0 to 2^30. */
function bits(name: string, key: string): string {
  const random = seededRandom(nameHash(name) ^ SEED);
  const multiplier = randomInt(random, 2 ** 31) * 2 + 1;
  const offset = randomInt(random, MASK);
  return `tpch_mix((((${key}) * ${multiplier} + ${offset}) & ${MASK})::UBIGINT)`;
}

/** SQL for a whole number from `low` to `high`, both included; every number is as likely as any other. */
export function uniform(name: string, key: string, low: number, high: number): string {
  const offset = low === 0 ? '' : `${low} + `;
  return `(${offset}((${bits(name, key)} * ${high - low + 1}) >> 32)::BIGINT)`;
}

/** SQL for one of `values`. */
export function oneOf(name: string, key: string, values: readonly string[]): string {
  return `${sqlList(values)}[1 + ${uniform(name, key, 0, values.length - 1)}]`;
}

/** SQL for a comment of `min` to `max` characters. */
export function comment(name: string, key: string, min: number, max: number): string {
  const start = uniform(`${name}.start`, key, 1, POOL_LENGTH - max);
  return `substring(getvariable('tpch_comments'), ${start}, ${uniform(`${name}.length`, key, min, max)})`;
}

/** SQL for an address of 10 to 40 characters. */
export function address(name: string, key: string): string {
  const start = uniform(`${name}.start`, key, 1, (1 << 16) - 40);
  return `substring(getvariable('tpch_addresses'), ${start}, ${uniform(`${name}.length`, key, 10, 40)})`;
}

/** SQL for a telephone number; the first two digits tell the nation (clause 4.2.2.9). */
export function phone(name: string, key: string, nationKey: string): string {
  const [a, b, c] = [
    uniform(`${name}.1`, key, 100, 999),
    uniform(`${name}.2`, key, 100, 999),
    uniform(`${name}.3`, key, 1000, 9999),
  ];
  return `(10 + ${nationKey})::VARCHAR || '-' || ${a} || '-' || ${b} || '-' || ${c}`;
}

/** SQL for an amount of money from whole cents. */
export const money = (cents: string): string => `((${cents})::DECIMAL(15,0) * 0.01::DECIMAL(2,2))::DECIMAL(15,2)`;

export const sqlText = (text: string): string => `'${text.replaceAll("'", "''")}'`;
export const sqlList = (values: readonly string[]): string => `[${values.map(sqlText).join(', ')}]`;
