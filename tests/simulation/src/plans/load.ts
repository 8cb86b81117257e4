import { type Random, randomInt } from '@tutti/base';
import type { PlannedQuery } from '../world/planned.js';

/** Before this everybody has heard of everybody, and what can be dealt is dealt. */
export const START_MS = 2_000;

const PLAIN = { tasks: 1, priority: 1, memoryBytes: 0, cpuMs: 0, cancelAfterMs: undefined };

/** A query with what it needs; the rest is plain. */
export const query = (
  given: Pick<PlannedQuery, 'atMs' | 'place' | 'group' | 'durationMs'> & Partial<PlannedQuery>,
): PlannedQuery => ({ ...PLAIN, ...given });

/** Exponential, cut at five times the mean. */
export const exponential = (random: Random, mean: number): number => mean * Math.min(5, -Math.log(1 - random()));

export interface Arrivals {
  readonly fromMs: number;
  readonly toMs: number;
  /** Slots that these queries keep busy in the mean. */
  readonly slots: number;
  readonly meanMs: number;
  readonly leaves: readonly string[];
  readonly place: (random: Random, atMs: number) => number;
  /** What else the queries are. */
  readonly more?: (random: Random) => Partial<PlannedQuery>;
}

/** Queries that come by chance, one independent of the other. */
export function arrivals(
  random: Random,
  { fromMs, toMs, slots, meanMs, leaves, place, more }: Arrivals,
): PlannedQuery[] {
  const queries: PlannedQuery[] = [];
  const gapMs = meanMs / slots;
  for (let atMs = fromMs - gapMs * Math.log(1 - random()); atMs < toMs; atMs -= gapMs * Math.log(1 - random())) {
    const group = leaves[randomInt(random, leaves.length)] ?? '';
    const durationMs = exponential(random, meanMs);
    queries.push(query({ atMs, place: place(random, atMs), group, durationMs, ...more?.(random) }));
  }
  return queries;
}

/** So many queries in the same instant on each coordinator. */
export function burst(
  random: Random,
  options: { readonly atMs: number; readonly coordinators: number; readonly each: number } & {
    readonly leaves: readonly string[];
    readonly durationMs: () => number;
  },
): PlannedQuery[] {
  const { atMs, coordinators, each, leaves, durationMs } = options;
  return Array.from({ length: coordinators * each }, (_, index) =>
    query({
      ...{ atMs, place: index % coordinators, durationMs: durationMs() },
      group: leaves[randomInt(random, leaves.length)] ?? '',
    }),
  );
}
