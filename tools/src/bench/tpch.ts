// The 22 queries of TPC-H: in stages on a local cluster of two workers, beside one DuckDB with as many threads, in turn.
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type QueryInfo, ResultFormat } from '@tutti/contracts/tutti/query/v1/query_pb';
import { tpch } from '../tpch/command.js';
import { tpchQuery } from '../tpch/queries.js';
import { percentile } from './percentile.js';
import { type ScanSpeedup, scanSpeedup } from './scan-speedup.js';
import { comparable, duckdbRows, withDuckdb } from './tpch-duckdb.js';
import type { TpchBenchOptions } from './tpch-options.js';
import { TpchCluster } from './tpch-tutti.js';

export interface TpchQueryReport {
  readonly query: number;
  readonly duckdbMs: number;
  readonly tuttiMs: number;
  readonly ratio: number;
  readonly stages: number;
  readonly tasks: number;
  readonly exchangedBytes: number;
  /** Empty when it ran in stages. */
  readonly wholeBecause: string;
  readonly equal: boolean;
}

export interface TpchReport extends ScanSpeedup {
  readonly scale: number;
  readonly runs: number;
  readonly warmUpRounds: number;
  /** Tutti / DuckDB, geometric mean of the queries' ratios. */
  readonly geomeanRatio: number;
  readonly sumRatio: number;
  readonly worstRatio: number;
  /** Queries that ran in stages. */
  readonly distributed: number;
  readonly fallbacks: number;
  readonly equal: number;
  readonly select1P50Ms: number;
  readonly pointQueryP50Ms: number;
  /** EXPLAIN of all queries, as a client sees it. */
  readonly planP99Ms: number;
  /** Large results to a client / the same file written by DuckDB. */
  readonly parquetRatio: number;
  readonly jsonLinesRatio: number;
  readonly queries: readonly TpchQueryReport[];
}

const median = (samples: readonly number[]): number => percentile(samples, 0.5);
const LATENCY_RUNS = 100;

export async function tpchBench({
  root,
  say,
  ...options
}: TpchBenchOptions & { readonly root: string; readonly say: (text: string) => void }): Promise<TpchReport> {
  const { scale, runs } = options;
  const data = join(root, '.tutti', 'data', `tpch-${scale}`);
  const made = await tpch(['--scale', `${scale}`, '--out', data, '--quiet'], { root });
  if (made !== 0) throw new Error(`npm run gen -- tpch --scale ${scale} ended with ${made}`);
  const work = join(root, '.tutti', 'bench-tpch');
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const start = (name: string, workers: number) =>
    TpchCluster.start({ root, directory: join(work, name), catalogs: data, workers });
  const two = await start('two', 2);
  try {
    const queries = await compare(two, { root, data, say }, options);
    say('latency, planning and large results ...');
    const rest = { ...(await latency(two, root, options)), ...(await results(two, data, work, runs)) };
    say('one worker and two, in turn ...');
    const one = await start('one', 1);
    try {
      const speedup = await scanSpeedup(one, two, { ...options, root, data });
      return { scale, runs, warmUpRounds: options.warmUpRounds, ...summaryOf(queries), ...rest, ...speedup, queries };
    } finally {
      await one.stop();
    }
  } finally {
    await two.stop();
  }
}

async function times(runs: number, run: () => Promise<number>): Promise<number[]> {
  const samples: number[] = [];
  for (let index = 0; index < runs; index++) samples.push(await run());
  return samples;
}

/**
 * Rounds of all queries, each on both sides, so that whatever else the machine does meets all of them alike. The first rounds are
 * not counted: a service runs for weeks, and its first queries pay for the compilation of its own program.
 */
async function compare(
  cluster: TpchCluster,
  { root, data, say }: { readonly root: string; readonly data: string; readonly say: (text: string) => void },
  { scale, runs, warmUpRounds, queries }: TpchBenchOptions,
): Promise<TpchQueryReport[]> {
  const compared = queries.map((query) => new ComparedQuery(query, tpchQuery(root, query, scale), cluster, data));
  say('the rows of two workers and of DuckDB ...');
  for (const query of compared) await query.check();
  for (let round = 1; round <= warmUpRounds; round++) {
    say(`round ${round} of ${warmUpRounds} that are not counted ...`);
    for (const query of compared) await query.onTutti();
  }
  for (let round = 1; round <= runs; round++) {
    say(`round ${round} of ${runs}, two workers and DuckDB in turn ...`);
    for (const query of compared) await query.time();
  }
  return compared.map((query) => query.report());
}

class ComparedQuery {
  private readonly tuttiMs: number[] = [];
  private readonly duckdbMs: number[] = [];
  private info: QueryInfo | undefined;
  private equal = false;

  constructor(
    private readonly query: number,
    private readonly statement: string,
    private readonly cluster: TpchCluster,
    private readonly data: string,
  ) {}

  onTutti = () => this.cluster.run(this.statement);
  private onDuckdb = () => withDuckdb(this.data, (connection) => duckdbRows(connection, this.statement));

  async check(): Promise<void> {
    const { info, rows } = await this.onTutti();
    this.info = info;
    this.equal = comparable(rows) === comparable(await this.onDuckdb());
  }

  async time(): Promise<void> {
    this.tuttiMs.push((await this.onTutti()).elapsedMs);
    const startedAt = performance.now();
    await this.onDuckdb();
    this.duckdbMs.push(performance.now() - startedAt);
  }

  report(): TpchQueryReport {
    const { stages, distributionReason } = this.info ?? {};
    const tuttiMs = median(this.tuttiMs);
    const duckdbMs = median(this.duckdbMs);
    return {
      query: this.query,
      duckdbMs,
      tuttiMs,
      ratio: tuttiMs / duckdbMs,
      stages: stages?.stages ?? 1,
      tasks: stages?.tasks ?? 1,
      exchangedBytes: Number(stages?.exchangedBytes ?? 0),
      wholeBecause: stages === undefined ? distributionReason || 'it says no reason' : '',
      equal: this.equal,
    };
  }
}

function summaryOf(queries: readonly TpchQueryReport[]) {
  const sum = (figure: (query: TpchQueryReport) => number) => queries.reduce((total, one) => total + figure(one), 0);
  const distributed = queries.filter(({ wholeBecause }) => wholeBecause === '').length;
  return {
    geomeanRatio: Math.exp(sum(({ ratio }) => Math.log(ratio)) / queries.length),
    sumRatio: sum(({ tuttiMs }) => tuttiMs) / sum(({ duckdbMs }) => duckdbMs),
    worstRatio: Math.max(...queries.map(({ ratio }) => ratio)),
    distributed,
    fallbacks: queries.length - distributed,
    equal: queries.filter(({ equal }) => equal).length,
  };
}

async function latency(cluster: TpchCluster, root: string, { queries, scale }: TpchBenchOptions) {
  const timed = async (statement: string) => (await cluster.run(statement)).elapsedMs;
  await times(LATENCY_RUNS / 4, () => timed('SELECT 1'));
  const select1 = await times(LATENCY_RUNS, () => timed('SELECT 1'));
  let key = 0;
  const point = await times(LATENCY_RUNS, () => timed(`SELECT * FROM orders WHERE o_orderkey = ${32 * ++key + 1}`));
  const plans: number[] = [];
  for (const query of queries) {
    const statement = tpchQuery(root, query, scale);
    plans.push(...(await times(5, () => timed(`EXPLAIN ${statement}`))));
  }
  return {
    select1P50Ms: median(select1),
    pointQueryP50Ms: median(point),
    planP99Ms: percentile(plans, 0.99),
  };
}

/** Columns of four types, made by the engine itself: no scan hides what the way to the client costs. */
const large = (rows: number): string =>
  `SELECT i, (i * 7919 % 100000)::INTEGER AS k, i / 3 AS v, 'row ' || i AS t FROM range(${rows}) r(i)`;
const PARQUET_ROWS = 10_000_000;
const LINES_ROWS = 1_000_000;

async function results(cluster: TpchCluster, data: string, work: string, runs: number) {
  const ratio = async (rows: number, format: ResultFormat, copy: string): Promise<number> => {
    const tutti: number[] = [];
    const duckdb: number[] = [];
    const file = join(work, 'result');
    await cluster.run(large(rows), format, false); // Not counted, as above.
    for (let index = 0; index < runs; index++) {
      tutti.push((await cluster.run(large(rows), format, false)).elapsedMs);
      const startedAt = performance.now();
      await withDuckdb(data, (connection) => connection.run(`COPY (${large(rows)}) TO '${file}' (FORMAT ${copy})`));
      duckdb.push(performance.now() - startedAt);
    }
    rmSync(file, { force: true });
    return median(tutti) / median(duckdb);
  };
  return {
    parquetRatio: await ratio(PARQUET_ROWS, ResultFormat.PARQUET, 'parquet'),
    jsonLinesRatio: await ratio(LINES_ROWS, ResultFormat.JSON_LINES, 'json'),
  };
}
