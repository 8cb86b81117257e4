// Every reason that the group machine gives for a wait, made by the machine itself.
import { type Instant, instant, queryId } from '@tutti/base';
import { GroupTree, type GroupUsage, type WaitExplanation, groupSpec } from '@tutti/resource-groups';

const NOW = instant(100_000);
const MAX_AGE_MS = 3_000;
const LIMIT = 20;

const treeWith = (queries: number, hardConcurrencyLimit = LIMIT) => {
  const rootGroups = [groupSpec({ name: 'global', hardConcurrencyLimit, maxQueued: 100 })];
  const config = { rootGroups, selectors: [] };
  const tree = new GroupTree({ config, usageMaxAgeMs: MAX_AGE_MS });
  for (let number = 1; number <= queries; number++) {
    tree.apply({ kind: 'submitted', queryId: queryId(`q${number}`), group: 'global' }, NOW);
  }
  tree.counts();
  return tree;
};

const answer = (tree: GroupTree, at: Instant, global: GroupUsage, oldestDataAgeMs = 30, answeredBy = 'rm-1') => {
  const groups = new Map([['global', global]]);
  const usage = { requestedAt: at, answeredBy, knownRound: 1, groups, oldestDataAgeMs, coordinatorCount: 1 };
  tree.apply({ kind: 'usageArrived', usage }, at);
};

/** One explanation of each kind, in the order of the page. */
export function waitExplanations(): (WaitExplanation | undefined)[] {
  const soon = instant(NOW + 5);
  const later = instant(NOW + 10);
  const full = { running: LIMIT, queued: 0, claimsAhead: [] };
  const free = { running: 0, queued: 0, claimsAhead: [] };

  const crowded = treeWith(4);
  answer(crowded, soon, full);
  const behind = treeWith(1);
  answer(behind, soon, { running: LIMIT - 1, queued: 1, claimsAhead: [{ round: 1, count: 1 }] });
  const stale = treeWith(1);
  answer(stale, soon, free, MAX_AGE_MS + 200);
  const moved = treeWith(1);
  answer(moved, soon, full);
  answer(moved, later, free, 30, 'rm-2');
  const alone = treeWith(1);
  alone.apply({ kind: 'usageUnavailable', since: instant(NOW - 14_000) }, NOW);

  return [
    crowded.explain(queryId('q4'), later),
    treeWith(1, 0).explain(queryId('q1'), NOW),
    behind.explain(queryId('q1'), later),
    treeWith(1).explain(queryId('q1'), NOW),
    stale.explain(queryId('q1'), later),
    moved.explain(queryId('q1'), later),
    alone.explain(queryId('q1'), NOW),
  ];
}
