import { parseArgs } from 'node:util';

export interface TpchBenchOptions {
  readonly scale: number;
  /** How often each query runs on each side. */
  readonly runs: number;
  /** How often all queries run before that without being counted. */
  readonly warmUpRounds: number;
  /** Numbers of the queries, 1 to 22. */
  readonly queries: readonly number[];
}

export const TPCH_BENCH_USAGE = `npm run bench -- tpch [options]      the 22 queries, in stages on two workers, beside one DuckDB

  --scale S        scale factor of the data, made when it is not there (default 1: 6 million line items)
  --vs duckdb      what to compare with; there is only this
  --runs N         how often each query runs on each side, in turn (default 5)
  --warm-up N      how often all queries run before that without being counted (default 5)
  --queries LIST   which of the queries 1 to 22 (default: all)
  --json           print one JSON object instead of tables
`;

/** Reads the options after the name; the answer is a text for the user when they are wrong or ask for help. */
export function parseTpchBenchOptions(
  argv: readonly string[],
): TpchBenchOptions | { readonly usage: string; readonly exitCode: number } {
  let values;
  try {
    values = parseArgs({
      args: [...argv],
      options: {
        help: { type: 'boolean', default: false },
        scale: { type: 'string', default: '1' },
        vs: { type: 'string', default: 'duckdb' },
        runs: { type: 'string', default: '5' },
        'warm-up': { type: 'string', default: '5' },
        queries: { type: 'string', default: Array.from({ length: 22 }, (_, index) => index + 1).join(',') },
      },
    }).values;
  } catch (error) {
    return { usage: `${error instanceof Error ? error.message : String(error)}\n\n${TPCH_BENCH_USAGE}`, exitCode: 2 };
  }
  if (values.help) return { usage: TPCH_BENCH_USAGE, exitCode: 0 };
  const scale = Number(values.scale);
  const runs = Number(values.runs);
  const warmUpRounds = Number(values['warm-up']);
  const queries = values.queries.split(',').map(Number);
  const problems: string[] = [];
  if (!(scale >= 0.01 && scale <= 10)) problems.push(`--scale must be from 0.01 to 10, was "${values.scale}"`);
  if (!Number.isInteger(runs) || runs < 1 || runs > 50)
    problems.push(`--runs must be a whole number from 1 to 50, was "${values.runs}"`);
  if (!Number.isInteger(warmUpRounds) || warmUpRounds < 0 || warmUpRounds > 50)
    problems.push(`--warm-up must be a whole number from 0 to 50, was "${values['warm-up']}"`);
  if (values.vs !== 'duckdb') problems.push(`--vs must be duckdb, was "${values.vs}"`);
  if (queries.some((number) => !Number.isInteger(number) || number < 1 || number > 22))
    problems.push(`--queries must name queries from 1 to 22, was "${values.queries}"`);
  return problems.length > 0
    ? { usage: `${problems.join('\n')}\n\n${TPCH_BENCH_USAGE}`, exitCode: 2 }
    : { scale, runs, warmUpRounds, queries };
}
