import { formatSize } from '@tutti/base';
import type { TpchReport } from './tpch.js';

/** The report as lines for people. */
export function tpchTable(report: TpchReport): string[] {
  const ms = (value: number): string => `${value.toFixed(0)} ms`.padStart(9);
  const lines = report.queries.map(
    ({ query, duckdbMs, tuttiMs, ratio, stages, tasks, exchangedBytes, wholeBecause, equal }) =>
      `${`q${query}`.padEnd(4)} ${ms(duckdbMs)} ${ms(tuttiMs)} ${ratio.toFixed(2).padStart(6)} x  ` +
      `${wholeBecause === '' ? `${stages} stages, ${tasks} tasks, ${formatSize(exchangedBytes)} exchanged` : `whole: ${wholeBecause}`}` +
      (equal ? '' : '  OTHER ROWS'),
  );
  const figures: [string, string][] = [
    ['ratio, geometric mean', `${report.geomeanRatio.toFixed(2)} x`],
    ['ratio of the sums', `${report.sumRatio.toFixed(2)} x`],
    ['ratio of the slowest', `${report.worstRatio.toFixed(2)} x`],
    ['in stages, equal', `${report.distributed} and ${report.equal} of ${report.queries.length}`],
    ...Object.entries(report.scanSpeedup).map(([query, speedup]): [string, string] => [
      `${query}, two workers instead of one`,
      `${speedup.toFixed(2)} x faster (DuckDB, two threads instead of one: ${(report.duckdbScanSpeedup[query] ?? NaN).toFixed(2)} x)`,
    ]),
    ['SELECT 1, p50', `${report.select1P50Ms.toFixed(1)} ms`],
    ['one order by its key, p50', `${report.pointQueryP50Ms.toFixed(1)} ms`],
    ['planning (EXPLAIN), p99', `${report.planP99Ms.toFixed(1)} ms`],
    ['10 M rows as Parquet / DuckDB to a file', `${report.parquetRatio.toFixed(2)} x`],
    ['1 M rows as JSON lines / DuckDB to a file', `${report.jsonLinesRatio.toFixed(2)} x`],
  ];
  return [
    `TPC-H at scale ${report.scale}: one DuckDB with two threads, and two workers with one thread each (medians of ${report.runs} after ${report.warmUpRounds} rounds that are not counted)`,
    'query   DuckDB     Tutti',
    ...lines,
    '',
    ...figures.map(([label, value]) => `${label.padEnd(42)} ${value}`),
  ];
}
