// Reads single fields of messages that came from elsewhere, and writes spans of time.
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Duration, DurationSchema } from '@bufbuild/protobuf/wkt';
import { SHARD_COUNT } from '@tutti/resource-groups';

/** A message that no process of this cluster sends: it is refused whole, and its sender is told why. */
export class BadMessage extends Error {
  override readonly name = 'BadMessage';

  constructor(
    /** Where in the message, as the contract spells it. */
    readonly field: string,
    problem: string,
  ) {
    super(`${field} ${problem}`);
  }
}

/** The longest id of a node, in characters. */
export const NODE_ID_LENGTH_MAX = 256;
/** The longest path of a group, in characters: 16 names of at most 256 characters, and dots. */
export const GROUP_LENGTH_MAX = 8_192;

const MS_PER_SECOND = 1_000;
const NANOS_PER_MS = 1_000_000;
const NANOS_PER_SECOND = 1_000_000_000;
/** 300 years: longer than anything here lasts, and far from where numbers lose their last digits. */
const SECONDS_MAX = 10_000_000_000n;

/** A whole number from `min` on, small enough to be one. */
export function numberOf(value: bigint | number, field: string, min = 0): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new BadMessage(field, `is ${value}, which is too large`);
  if (number < min) throw new BadMessage(field, `is ${value}, but must be at least ${min}`);
  return number;
}

export function shardFrom(value: number, field = 'shard'): number {
  if (!Number.isSafeInteger(value) || value < 0 || value >= SHARD_COUNT)
    throw new BadMessage(field, `is ${value}, but must be from 0 to ${SHARD_COUNT - 1}`);
  return value;
}

export function textOf(value: string, field: string, lengthMax: number): string {
  if (value === '') throw new BadMessage(field, 'is missing');
  if (value.length > lengthMax)
    throw new BadMessage(field, `has ${value.length} characters; at most ${lengthMax} are taken`);
  return value;
}

export const nodeFrom = (value: string, field: string): string => textOf(value, field, NODE_ID_LENGTH_MAX);
export const groupFrom = (value: string, field = 'group'): string => textOf(value, field, GROUP_LENGTH_MAX);

/** The list, unless it is too long. */
export function listOf<T>(list: readonly T[], field: string, lengthMax: number): readonly T[] {
  if (list.length > lengthMax) throw new BadMessage(field, `has ${list.length} items; at most ${lengthMax} are taken`);
  return list;
}

/** The list, unless two of its items have the same key. */
export function distinct<T>(list: T[], field: string, keyOf: (item: T) => unknown): T[] {
  if (list.length > 1 && new Set(list.map(keyOf)).size < list.length)
    throw new BadMessage(field, 'says something twice');
  return list;
}

export function presentOf<T>(value: T | undefined, field: string): T {
  if (value === undefined) throw new BadMessage(field, 'is missing');
  return value;
}

/** The name of an enum's value. */
export function nameOf<K extends string>(names: ReadonlyMap<number, K>, value: number, field: string): K {
  const name = names.get(value);
  if (name === undefined) throw new BadMessage(field, `is ${value}, which is unknown`);
  return name;
}

/** The names of the values of an enum: a table turned round. */
export const namesOf = <K extends string>(values: Readonly<Record<K, number>>): ReadonlyMap<number, K> =>
  new Map((Object.keys(values) as K[]).map((name) => [values[name], name]));

/** A span of time, to the nanosecond. Not below zero. */
export function spanToWire(ms: number): MessageInitShape<typeof DurationSchema> {
  const nanosTotal = Math.round((Math.max(0, ms) % MS_PER_SECOND) * NANOS_PER_MS);
  const seconds = Math.floor(Math.max(0, ms) / MS_PER_SECOND) + (nanosTotal === NANOS_PER_SECOND ? 1 : 0);
  return { seconds: BigInt(seconds), nanos: nanosTotal % NANOS_PER_SECOND };
}

/** A span of time in milliseconds. */
export function spanFrom(value: Duration | undefined, field: string): number {
  const { seconds, nanos } = presentOf(value, field);
  if (seconds < 0n || seconds > SECONDS_MAX || nanos < 0 || nanos >= NANOS_PER_SECOND)
    throw new BadMessage(field, `is ${seconds} s and ${nanos} ns, which is no span of time`);
  return Number(seconds) * MS_PER_SECOND + nanos / NANOS_PER_MS;
}
