import { formatSize, nearestName } from '@tutti/base';
import { admission } from './admission.js';
import { parseAdmissionOptions } from './admission-options.js';
import { admissionTable } from './admission-table.js';
import { resourceGroups } from './resource-groups.js';
import { smallQuery } from './small-query.js';
import { tpchBench } from './tpch.js';
import { parseTpchBenchOptions } from './tpch-options.js';
import { tpchTable } from './tpch-table.js';

type Row = readonly [label: string, value: string];

/** A measurement: what --json prints, and the same for people. */
interface Outcome {
  readonly report: object;
  readonly lines: readonly string[];
}

/** Nothing was measured: the options are wrong, or ask for help. */
interface NoOutcome {
  readonly usage: string;
  readonly exitCode: number;
}

interface Bench {
  readonly about: string;
  readonly run: (options: {
    readonly root: string;
    readonly say: (text: string) => void;
    /** What follows the name, but --json. */
    readonly args: readonly string[];
  }) => Promise<Outcome | NoOutcome>;
}

const linesOf = (rows: readonly Row[]) => rows.map(([label, value]) => `${label.padEnd(40)} ${value}`);
const noOptions = (args: readonly string[]): NoOutcome | undefined =>
  args.length === 0 ? undefined : { usage: USAGE, exitCode: args[0] === '--help' ? 0 : 2 };

const ms = (value: number): string => `${value.toFixed(value < 1 ? 3 : 2)} ms`;
const perSecond = (value: number): string => `${value.toLocaleString('en')} /s`;

const BENCHES: Readonly<Record<string, Bench>> = {
  'small-query': {
    about: 'SELECT 1 end to end, time to ready, idle CPU and memory of a local cluster',
    run: async ({ root, say, args }) => {
      const refused = noOptions(args);
      if (refused) return refused;
      const report = await smallQuery(root, say);
      const rows: Row[] = [
        ['SELECT 1, p50', ms(report.p50Ms)],
        ['SELECT 1, p99', ms(report.p99Ms)],
        ['the same in an in-process DuckDB, p50', ms(report.duckdbP50Ms)],
        ['start until all seven are ready', `${(report.readyMs / 1000).toFixed(2)} s`],
        ['idle cluster', `${(report.idleCores * 100).toFixed(1)} % of a core`],
        ...Object.entries(report.rssBytes).map(([role, bytes]): Row => [`memory of a ${role}`, formatSize(bytes)]),
      ];
      return { report, lines: linesOf(rows) };
    },
  },
  'resource-groups': {
    about: 'admission alone: 1,000 groups, 100,000 queries that wait; speed, memory, reload',
    run: async ({ root, say, args }) => {
      const refused = noOptions(args);
      if (refused) return refused;
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
      return { report, lines: linesOf(rows) };
    },
  },
  admission: {
    about: 'one limit, four coordinators: how the three modes keep it, and faults (options: --help)',
    run: async ({ root, say, args }) => {
      const options = parseAdmissionOptions(args);
      if ('usage' in options) return options;
      const report = await admission({ ...options, root, say });
      return { report, lines: admissionTable(report) };
    },
  },
  tpch: {
    about: 'the 22 queries in stages on two workers, beside one DuckDB; large results (options: --help)',
    run: async ({ root, say, args }) => {
      const options = parseTpchBenchOptions(args);
      if ('usage' in options) return options;
      const report = await tpchBench({ ...options, root, say });
      return { report, lines: tpchTable(report) };
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

/** What is wrong with the name of a measurement; '' when there is none, or help is asked for. */
function unknownText(name: string): string {
  if (name === '' || name === '--help') return '';
  const nearest = nearestName(name, Object.keys(BENCHES));
  const what = name.startsWith('-') ? `the name comes first, not "${name}"` : `there is no measurement "${name}"`;
  return `${what}${nearest === undefined ? '' : `; did you mean ${nearest}?`}\n\n`;
}

/** `npm run bench`. */
export async function bench(argv: readonly string[], root: string): Promise<number> {
  const [name = '', ...args] = argv.filter((argument) => argument !== '--json');
  const chosen = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
  if (chosen === undefined) {
    process.stderr.write(unknownText(name) + USAGE);
    return name === '--help' ? 0 : 2;
  }
  const outcome = await chosen.run({ root, say: (text) => void process.stderr.write(`${text}\n`), args });
  if ('usage' in outcome) {
    process.stderr.write(outcome.usage);
    return outcome.exitCode;
  }
  if (argv.includes('--json')) console.log(JSON.stringify(outcome.report));
  else for (const line of outcome.lines) console.log(line);
  return 0;
}
