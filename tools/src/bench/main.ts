import { formatSize } from '@tutti/base';
import { smallQuery } from './small-query.js';

const USAGE = `npm run bench -- NAME [--json]

  small-query      SELECT 1 end to end, time to ready, idle CPU and memory of a local cluster

Prints a table; with --json one JSON object on standard output (use npm run -s). Compare figures of one run only: the
baseline is measured in turn with what it is compared to, since machines differ and are noisy.
`;

/** `npm run bench`. */
export async function bench(argv: readonly string[], root: string): Promise<number> {
  const [name, ...flags] = argv.filter((argument) => argument !== '--json');
  if (name !== 'small-query' || flags.length > 0) {
    process.stderr.write(USAGE);
    return name === '--help' ? 0 : 2;
  }
  const report = await smallQuery(root, (text) => void process.stderr.write(`${text}\n`));
  if (argv.includes('--json')) {
    console.log(JSON.stringify(report));
    return 0;
  }
  const rows: [string, string][] = [
    ['SELECT 1, p50', `${report.p50Ms.toFixed(2)} ms`],
    ['SELECT 1, p99', `${report.p99Ms.toFixed(2)} ms`],
    ['the same in an in-process DuckDB, p50', `${report.duckdbP50Ms.toFixed(2)} ms`],
    ['start until all seven are ready', `${(report.readyMs / 1000).toFixed(2)} s`],
    ['idle cluster', `${(report.idleCores * 100).toFixed(1)} % of a core`],
    ...Object.entries(report.rssBytes).map(([role, bytes]): [string, string] => [
      `memory of a ${role}`,
      formatSize(bytes),
    ]),
  ];
  for (const [label, value] of rows) console.log(`${label.padEnd(40)} ${value}`);
  return 0;
}
