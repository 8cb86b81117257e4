// What a second worker gives to queries that mostly read, beside what a second thread gives to DuckDB on the same machine, in turn.
import { tpchQuery } from '../tpch/queries.js';
import { percentile } from './percentile.js';
import { duckdbRows, withDuckdb } from './tpch-duckdb.js';
import type { TpchBenchOptions } from './tpch-options.js';
import type { TpchCluster } from './tpch-tutti.js';

/** By query: how many times faster with two than with one. */
export interface ScanSpeedup {
  readonly scanSpeedup: Readonly<Record<string, number>>;
  readonly duckdbScanSpeedup: Readonly<Record<string, number>>;
}

const SCANS = [1, 6];
/** So short are these queries that a median of few is one of noise. */
const RUNS_MIN = 15;

export async function scanSpeedup(
  one: TpchCluster,
  two: TpchCluster,
  {
    root,
    data,
    scale,
    runs,
    warmUpRounds,
    queries,
  }: TpchBenchOptions & { readonly root: string; readonly data: string },
): Promise<ScanSpeedup> {
  const tutti: Record<string, number> = {};
  const duckdb: Record<string, number> = {};
  for (const query of SCANS.filter((number) => queries.includes(number))) {
    const statement = tpchQuery(root, query, scale);
    const onTutti = (cluster: TpchCluster) => async () => (await cluster.run(statement)).elapsedMs;
    const onDuckdb = (threads: number) => async () => {
      const startedAt = performance.now();
      await withDuckdb(data, (connection) => duckdbRows(connection, statement), threads);
      return performance.now() - startedAt;
    };
    const sides = [onTutti(one), onTutti(two), onDuckdb(1), onDuckdb(2)];
    const samples = sides.map((): number[] => []);
    for (let round = 0; round < warmUpRounds; round++) for (const run of sides) await run();
    for (let round = 0; round < Math.max(runs, RUNS_MIN); round++)
      for (const [side, run] of sides.entries()) samples[side]?.push(await run());
    const [oneMs = 0, twoMs = 0, oneThreadMs = 0, twoThreadsMs = 0] = samples.map((times) => percentile(times, 0.5));
    tutti[`q${query}`] = oneMs / twoMs;
    duckdb[`q${query}`] = oneThreadMs / twoThreadsMs;
  }
  return { scanSpeedup: tutti, duckdbScanSpeedup: duckdb };
}
