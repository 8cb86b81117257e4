import { nearestName } from '@tutti/base';
import { SCENARIOS, type ScenarioName, type Sizes } from '../plans/scenarios.js';
import { type Mode, MODES } from '../world/planned.js';

export interface SimOptions extends Omit<Sizes, 'mode'> {
  readonly modes: readonly Mode[];
  readonly scenarios: readonly ScenarioName[];
  readonly firstSeed: number;
  readonly seeds: number;
  readonly jobs: number;
  readonly json: boolean;
  readonly trace: boolean;
  readonly shrink: boolean;
}

export type ParsedOptions =
  | { readonly kind: 'run'; readonly options: SimOptions }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly problems: readonly string[] };

export const USAGE = `npm run sim -- [options]

Runs the real machines of coordinators, resource managers and workers on a virtual clock and network, and counts on the
workers what runs. Everything follows from the seed.

  --mode leased|gated|presto|all       how limits are kept (leased)
  --scenario NAME|all                  ${SCENARIOS.join(', ')} (all)
  --coordinators N                     (8)
  --resource-managers N                (3)
  --limit N                            slots of the greatest group (64)
  --query-ms N                         how long the usual query runs (2000)
  --seeds N                            runs of each scenario, from seed 1 on (50)
  --seed N                             this one only
  --trace                              tells that run, line by line; needs --seed and one mode and scenario
  --shrink                             with --trace: as little of that run as still fails
  --jobs N                             processes to use (all cores)
  --json                               prints {scenarios: [...]} instead of a table (use npm run -s)

use: of the slots that could be used while somebody waited, the part that was. wait: of queries for which there was room
when they came. messages: about admission, per coordinator. redeal: the longest time from the end of an owner until slots
were dealt again, or until its successor answered when none was left to deal. violations: moments at which a group went over its limit (A1), queries that were lost (A2) or starved (A3).

Exit code 1 when something is violated that the mode promises: leased promises all, gated and presto A2 and A3. The first
failing seed of each scenario is shrunk to as few faults and queries as still fail.
`;

const FLAGS = ['json', 'trace', 'shrink', 'help'] as const;
const VALUES = [
  'mode',
  'scenario',
  'coordinators',
  'resource-managers',
  'limit',
  'query-ms',
  'seeds',
  'seed',
  'jobs',
] as const;

/** Reads the command line. All that is wrong with it is told at once. */
export function parseOptions(argv: readonly string[], cores: number): ParsedOptions {
  const problems: string[] = [];
  const { flags, values } = split(argv, problems);
  if (flags.has('help')) return { kind: 'help' };
  const number = (name: (typeof VALUES)[number], standard: number, least: number, most: number): number => {
    const text = values.get(name);
    if (text === undefined) return standard;
    const value = /^\d+$/.test(text) ? Number(text) : NaN;
    if (value >= least && value <= most) return value;
    problems.push(`--${name} must be a whole number from ${least} to ${most}, not "${text}"`);
    return standard;
  };
  const choice = <T extends string>(
    name: (typeof VALUES)[number],
    all: readonly T[],
    standard: readonly T[],
  ): readonly T[] => {
    const text = values.get(name);
    if (text === undefined) return standard;
    if (text === 'all') return all;
    const chosen = all.find((each) => each === text);
    if (chosen !== undefined) return [chosen];
    problems.push(`--${name} must be one of ${all.join(', ')} or all, not "${text}"`);
    return standard;
  };
  const seed = values.has('seed') ? number('seed', 1, 1, 0xffff_ffff) : undefined;
  const options: SimOptions = {
    modes: choice('mode', MODES, ['leased']),
    scenarios: choice<ScenarioName>('scenario', SCENARIOS, SCENARIOS),
    coordinators: number('coordinators', 8, 1, 64),
    resourceManagers: number('resource-managers', 3, 1, 9),
    limit: number('limit', 64, 1, 10_000),
    queryMs: number('query-ms', 2_000, 1, 60_000),
    firstSeed: seed ?? 1,
    seeds: seed === undefined ? number('seeds', 50, 1, 1_000_000) : 1,
    jobs: number('jobs', cores, 1, 256),
    json: flags.has('json'),
    trace: flags.has('trace'),
    shrink: flags.has('shrink'),
  };
  if (values.has('seed') && values.has('seeds')) problems.push('--seed runs one seed: leave out --seeds');
  if (options.trace && (seed === undefined || options.modes.length * options.scenarios.length > 1))
    problems.push('--trace tells one run: give --seed, one --mode and one --scenario');
  if (options.shrink && !options.trace) problems.push('--shrink goes with --trace');
  if (options.trace && options.json) problems.push('--trace is for people: leave out --json');
  return problems.length > 0 ? { kind: 'wrong', problems } : { kind: 'run', options };
}

function split(argv: readonly string[], problems: string[]) {
  const flags = new Set<string>();
  const values = new Map<string, string>();
  for (let index = 0; index < argv.length; index++) {
    const [name = '', inline] = (argv[index] ?? '').split(/=(.*)/s);
    const known = name.startsWith('--') ? name.slice(2) : undefined;
    if (FLAGS.some((flag) => flag === known)) {
      if (inline !== undefined) problems.push(`${name} takes no value`);
      flags.add(known ?? '');
    } else if (VALUES.some((value) => value === known)) {
      const next = argv[index + 1];
      const value = inline ?? (next?.startsWith('--') ? undefined : next);
      if (value === undefined) problems.push(`${name} needs a value`);
      else if (values.has(known ?? '')) problems.push(`${name} is given twice`);
      else values.set(known ?? '', value);
      if (inline === undefined && value !== undefined) index++;
    } else {
      const nearest = known && nearestName(known, [...FLAGS, ...VALUES]);
      if (!name.startsWith('-')) problems.push(`"${argv[index] ?? ''}" is no option; it takes options only`);
      else problems.push(`there is no option "${name}"${nearest ? `; did you mean --${nearest}?` : ''}`);
    }
  }
  return { flags, values };
}
