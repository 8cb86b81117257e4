import { formatSize } from '@tutti/base';
import { resourceGroups } from './resource-groups.js';
import { smallQuery } from './small-query.js';

type Row = readonly [label: string, value: string];

/** A measurement: what --json prints, and the same as a table. */
interface Outcome {
  readonly report: object;
  readonly rows: readonly Row[];
}

interface Bench {
  readonly about: string;
  readonly run: (root: string, say: (text: string) => void) => Promise<Outcome>;
}

const ms = (value: number): string => `${value.toFixed(value < 1 ? 3 : 2)} ms`;
const perSecond = (value: number): string => `${value.toLocaleString('en')} /s`;

const BENCHES: Readonly<Record<string, Bench>> = {
  'small-query': {
    about: 'SELECT 1 end to end, time to ready, idle CPU and memory of a local cluster',
    run: async (root, say) => {
      const report = await smallQuery(root, say);
      const rows: Row[] = [
        ['SELECT 1, p50', ms(report.p50Ms)],
        ['SELECT 1, p99', ms(report.p99Ms)],
        ['the same in an in-process DuckDB, p50', ms(report.duckdbP50Ms)],
        ['start until all seven are ready', `${(report.readyMs / 1000).toFixed(2)} s`],
        ['idle cluster', `${(report.idleCores * 100).toFixed(1)} % of a core`],
        ...Object.entries(report.rssBytes).map(([role, bytes]): Row => [`memory of a ${role}`, formatSize(bytes)]),
      ];
      return { report, rows };
    },
  },
  'resource-groups': {
    about: 'admission alone: 1,000 groups, 100,000 queries that wait; speed, memory, reload',
    run: async (root, say) => {
      const report = await resourceGroups(root, say);
      const rows: Row[] = [
        ['submissions, starts and ends', perSecond(report.eventsPerSecond)],
        ['the same on one plain queue, no groups', perSecond(report.baselineEventsPerSecond)],
        ['one event, p99', ms(report.p99Ms)],
        ...Object.entries(report.p99MsByKind).map(([kind, value]): Row => [`  ${kind}, p99`, ms(value)]),
        ['an event with 100,000 waiting, by 1,000', `${report.growth.toFixed(2)} times`],
        ['memory of a waiting query', `${Math.round(report.bytesPerQueuedQuery)} bytes`],
        ['reload of 1,000 groups', ms(report.reloadMs)],
        ['  the first one, before code is warm', ms(report.coldReloadMs)],
      ];
      return { report, rows };
    },
  },
};

const USAGE = `npm run bench -- NAME [--json]

${Object.entries(BENCHES)
  .map(([name, { about }]) => `  ${name.padEnd(16)} ${about}`)
  .join('\n')}

Prints a table; with --json one JSON object on standard output (use npm run -s). Compare figures of one run only: the
baseline is measured in turn with what it is compared to, since machines differ and are noisy.
`;

/** `npm run bench`. */
export async function bench(argv: readonly string[], root: string): Promise<number> {
  const [name = '', ...flags] = argv.filter((argument) => argument !== '--json');
  const chosen = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
  if (chosen === undefined || flags.length > 0) {
    process.stderr.write(USAGE);
    return name === '--help' ? 0 : 2;
  }
  const { report, rows } = await chosen.run(root, (text) => void process.stderr.write(`${text}\n`));
  if (argv.includes('--json')) console.log(JSON.stringify(report));
  else for (const [label, value] of rows) console.log(`${label.padEnd(40)} ${value}`);
  return 0;
}
