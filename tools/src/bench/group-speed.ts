import { invariant, seededRandom } from '@tutti/base';
import { type GroupConfig, type GroupTarget, GroupTree, parseGroupConfig } from '@tutti/resource-groups';
import { Fifo } from './fifo.js';
import { type GroupFileShape, groupFileText, leafTargets } from './group-file-maker.js';
import { GroupLoad, type GroupLoadOptions, type Machine } from './group-load.js';
import { percentile } from './percentile.js';

/** How many queries wait. */
export const GROUP_QUERIES = { few: 1_000, many: 100_000 };

export interface GroupSpeedOptions {
  readonly shape: GroupFileShape;
  readonly queries: { readonly few: number; readonly many: number };
  /** Measured rounds, besides those that warm up. */
  readonly rounds: number;
  /** Queries that end in one round, and so start and come anew. */
  readonly stepsPerRound: number;
  readonly reloads: number;
}

export interface GroupSpeed {
  /** Submissions, starts and ends of queries while many wait, everything included that the tree does for them. */
  readonly eventsPerSecond: number;
  /** Of the time of one event of any kind, answers of the resource manager with dozens of starts in each included. */
  readonly p99Ms: number;
  readonly p99MsByKind: Readonly<Record<string, number>>;
  /** Cost of an event while many queries wait, by that while few wait. */
  readonly growth: number;
  /** Reading the file and taking it in while many queries wait, once the code is warm. */
  readonly reloadMs: number;
  /** The first reading in this process, and the first taking in. */
  readonly coldReloadMs: number;
  /** The same load on one plain queue without groups, in turn with the above. */
  readonly baselineEventsPerSecond: number;
}

const USAGE_MAX_AGE_MS = 3_000;
/** A tenth of the slots sees one event in a millisecond: with 1,000 slots that is 100,000 events a second. */
const SLOT_USE_MS = 10;

export function parsed(text: string): GroupConfig {
  const result = parseGroupConfig(text);
  if ('problems' in result) throw new Error(result.problems.slice(0, 5).join('\n'));
  return result.ok;
}

interface LoadOptions extends Pick<GroupLoadOptions, 'onApplied'> {
  readonly shape: GroupFileShape;
  readonly queued: number;
}

/** A tree of groups under load. Nothing has come yet. */
export function groupTreeLoad(options: LoadOptions): { readonly tree: GroupTree; readonly load: GroupLoad } {
  const config = parsed(groupFileText(options.shape));
  const life = { coordinatorId: 'coordinator-1', incarnation: 1 };
  const tree = new GroupTree({ config, usageMaxAgeMs: USAGE_MAX_AGE_MS, leases: { life, random: seededRandom(1) } });
  return { tree, load: loadOn(tree, leafTargets(config), options) };
}

const loadOn = (machine: Machine, targets: readonly GroupTarget[], { shape, ...options }: LoadOptions): GroupLoad =>
  new GroupLoad({ machine, targets, eventsPerMs: shape.runningMax / SLOT_USE_MS, seed: 1, ...options });

/** What groups cost. */
export function measureGroupSpeed(options: GroupSpeedOptions): GroupSpeed {
  const { shape } = options;
  const startedAt = performance.now();
  const targets = leafTargets(parsed(groupFileText(shape)));
  const coldReadMs = performance.now() - startedAt;
  const latencies = measureLatencies(options);
  const { tree, load, ...costs } = measureCosts(options, targets);
  const { warmMs, firstTakenInMs } = measureReloads(tree, load, options);
  return { ...latencies, ...costs, reloadMs: warmMs, coldReloadMs: coldReadMs + firstTakenInMs };
}

const warmUpsOf = ({ rounds }: GroupSpeedOptions): number => Math.ceil(rounds / 4);

/** Alone in the process, as a coordinator's tree is. */
function measureLatencies(options: GroupSpeedOptions): Pick<GroupSpeed, 'p99Ms' | 'p99MsByKind'> {
  const { shape, queries, rounds, stepsPerRound } = options;
  const samples = new Map<string, number[]>();
  const onApplied = (kind: string, elapsedMs: number) => {
    let list = samples.get(kind);
    if (list === undefined) samples.set(kind, (list = []));
    list.push(elapsedMs);
  };
  const { load } = groupTreeLoad({ shape, queued: queries.many, onApplied });
  load.fill();
  load.run(warmUpsOf(options) * stepsPerRound);
  samples.clear();
  load.run(Math.ceil(rounds / 2) * stepsPerRound);
  return {
    p99Ms: percentile([...samples.values()].flat(), 0.99),
    p99MsByKind: Object.fromEntries([...samples].map(([kind, list]) => [kind, percentile(list, 0.99)])),
  };
}

/** In turn, so that a busy moment of the machine meets all alike. */
function measureCosts(options: GroupSpeedOptions, targets: readonly GroupTarget[]) {
  const { shape, queries, rounds, stepsPerRound } = options;
  const few = groupTreeLoad({ shape, queued: queries.few }).load;
  const { tree, load: many } = groupTreeLoad({ shape, queued: queries.many });
  const plain = loadOn(new Fifo(shape.runningMax), targets, { shape, queued: queries.many });
  for (const load of [few, many, plain]) load.fill();
  const costs: { few: number; many: number; plain: number }[] = [];
  for (let round = -warmUpsOf(options); round < rounds; round++) {
    const [ofFew, ofMany, ofPlain] = [few, many, plain].map((load) => eventMs(load, stepsPerRound));
    if (round >= 0) costs.push({ few: ofFew ?? NaN, many: ofMany ?? NaN, plain: ofPlain ?? NaN });
  }
  for (const { runningCount } of [few, many])
    invariant(runningCount > shape.runningMax / 2, `only ${runningCount} of ${shape.runningMax} run`);
  const perSecond = (name: 'many' | 'plain') => {
    const middleMs = percentile(
      costs.map((cost) => cost[name]),
      0.5,
    );
    return Math.round(1_000 / middleMs);
  };
  return {
    ...{ tree, load: many },
    eventsPerSecond: perSecond('many'),
    baselineEventsPerSecond: perSecond('plain'),
    growth: percentile(
      costs.map((cost) => cost.many / cost.few),
      0.5,
    ),
  };
}

/** Milliseconds per event of one round. */
function eventMs(load: GroupLoad, steps: number): number {
  const before = load.events;
  const startedAt = performance.now();
  load.run(steps);
  return (performance.now() - startedAt) / (load.events - before);
}

function measureReloads(tree: GroupTree, load: GroupLoad, { shape, reloads, stepsPerRound }: GroupSpeedOptions) {
  const samples: number[] = [];
  let firstTakenInMs = NaN;
  for (let reload = 0; reload < reloads; reload++) {
    const text = groupFileText(shape, reload % 2 === 0 ? 1 : 0);
    const startedAt = performance.now();
    const config = parsed(text);
    const readAt = performance.now();
    const effects = tree.apply({ kind: 'configured', config }, load.now);
    const endedAt = performance.now();
    if (reload === 0) firstTakenInMs = endedAt - readAt;
    samples.push(endedAt - startedAt);
    load.retarget(leafTargets(config));
    load.take(effects);
    load.run(Math.ceil(stepsPerRound / 10));
  }
  return { warmMs: percentile(samples, 0.5), firstTakenInMs };
}
