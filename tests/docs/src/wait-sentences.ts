// Every reason that the group machine gives for a wait, made by the machine itself.
import { type Instant, instant, queryId, seededRandom } from '@tutti/base';
import {
  type GroupSpec,
  groupSpec,
  GroupTree,
  type GroupUsage,
  type UsageSnapshot,
  type WaitExplanation,
} from '@tutti/resource-groups';

const NOW = instant(100_000);
const SOON = instant(NOW + 5);
const LATER = instant(NOW + 10);
const MAX_AGE_MS = 3_000;
const LIMIT = 20;
const GIGABYTE = 2 ** 30;
const HOUR_MS = 3_600_000;

const FULL: GroupUsage = { running: LIMIT, queued: 0, claimsAhead: [], memoryBytes: 0 };
const FREE: GroupUsage = { ...FULL, running: 0 };

/** A tree with one group, in which queries wait whose claims are known. */
function treeWith(queries: number, limits: Partial<GroupSpec> = {}): GroupTree {
  const global = groupSpec({
    name: 'global',
    hardConcurrencyLimit: LIMIT,
    maxQueued: 100,
    admissionMode: 'gated',
    ...limits,
  });
  const config = { rootGroups: [global], selectors: [] };
  const life = { coordinatorId: 'coordinator-1', incarnation: 1 };
  const tree = new GroupTree({ config, usageMaxAgeMs: MAX_AGE_MS, leases: { life, random: seededRandom(1) } });
  const target = { path: 'global', names: ['global'], specs: [global] };
  tree.apply({ kind: 'clusterChanged', activeWorkers: 5, memoryBytes: 100 * GIGABYTE }, NOW);
  for (let number = 1; number <= queries; number++) {
    tree.apply({ kind: 'submitted', queryId: queryId(`q${number}`), target, priority: 1 }, NOW);
  }
  tree.counts();
  return tree;
}

function answer(tree: GroupTree, at: Instant, global: GroupUsage, more: Partial<UsageSnapshot> = {}): GroupTree {
  const usage = {
    requestedAt: at,
    answeredBy: 'rm-1',
    knownRound: 1,
    groups: new Map([['global', global]]),
    cpu: new Map<string, number>(),
    oldestDataAgeMs: 30,
    coordinatorCount: 1,
    ...more,
  };
  tree.apply({ kind: 'usageArrived', usage }, at);
  return tree;
}

/** One explanation of each kind, in the order of the page. */
export function waitExplanations(): (WaitExplanation | undefined)[] {
  const first = queryId('q1');
  const memory = answer(treeWith(1, { softMemoryLimit: { kind: 'bytes', bytes: GIGABYTE } }), SOON, {
    ...FREE,
    running: 2,
    memoryBytes: 1.2 * GIGABYTE,
  });
  const cpuOf = (hours: number) => ({ cpu: new Map([['global', hours * HOUR_MS]]) });
  const cpuLimits = { softCpuLimitMs: HOUR_MS, hardCpuLimitMs: 3 * HOUR_MS, cpuQuotaMsPerSecond: 1_000 };
  const tired = answer(treeWith(1, cpuLimits), SOON, { ...FREE, running: 10 }, cpuOf(2));
  const spent = answer(treeWith(1, cpuLimits), SOON, FREE, cpuOf(3));
  const crew = answer(treeWith(1, { workersPerQueryLimit: 2 }), SOON, { ...FREE, running: 3 });
  const others = { running: LIMIT - 1, queued: 1, claimsAhead: [{ round: 1, count: 1 }], memoryBytes: 0 };
  const moved = answer(treeWith(1), SOON, FULL);
  const alone = treeWith(1);
  alone.apply({ kind: 'usageUnavailable', since: instant(NOW - 14_000) }, NOW);

  return [
    answer(treeWith(4), SOON, FULL).explain(queryId('q4'), LATER),
    treeWith(1, { hardConcurrencyLimit: 0 }).explain(first, NOW),
    memory.explain(first, LATER),
    tired.explain(first, LATER),
    spent.explain(first, LATER),
    crew.explain(first, LATER),
    answer(treeWith(1), SOON, others).explain(first, LATER),
    treeWith(1).explain(first, NOW),
    answer(treeWith(1), SOON, FREE, { oldestDataAgeMs: MAX_AGE_MS + 200 }).explain(first, LATER),
    answer(moved, LATER, FREE, { answeredBy: 'rm-2' }).explain(first, LATER),
    alone.explain(first, NOW),
  ];
}
