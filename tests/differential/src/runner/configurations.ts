import type { CutSettings } from '@tutti/sql';

/** Settings under which a query is cut. */
export interface Configuration {
  readonly name: string;
  readonly settings: CutSettings;
}

/** So small that every table is divided and every join is partitioned, as far as its kind allows. */
const TINY = { name: 'tiny', taskRows: 0, replicatedRowsMax: 0, broadcastRowsMax: 0 };
/** Some tables and build sides are small, some are not, and few rows have fewer tasks. */
const MIXED = { name: 'mixed', taskRows: 40, replicatedRowsMax: 250, broadcastRowsMax: 150 };
/** What coordinators use: all tables are small. */
const DEFAULT = { name: 'default', taskRows: 5_000_000, replicatedRowsMax: 200_000, broadcastRowsMax: 200_000 };

const tasksPerWorker: Readonly<Record<number, number>> = { 1: 2, 2: 2, 3: 1 };

function configuration(workers: number, isAdaptive: boolean, { name, ...thresholds }: typeof TINY): Configuration {
  return {
    name: `${workers} workers, ${isAdaptive ? 'adaptive' : 'static'}, ${name}`,
    settings: { workers, tasksPerWorker: tasksPerWorker[workers] ?? 1, isAdaptive, ...thresholds },
  };
}

const each = (thresholds: typeof TINY, counts: readonly number[]): Configuration[] =>
  counts.flatMap((workers) => [true, false].map((isAdaptive) => configuration(workers, isAdaptive, thresholds)));

/** All of them, for statements that are worth it. */
export const CONFIGURATIONS: readonly Configuration[] = [
  ...each(TINY, [1, 2, 3]),
  ...each(MIXED, [2]),
  ...each(DEFAULT, [1, 2, 3]),
];

/** Those that divide something, for many statements that have one each. */
export const DIVIDING: readonly Configuration[] = [...each(TINY, [1, 2, 3]), ...each(MIXED, [1, 2, 3])];
