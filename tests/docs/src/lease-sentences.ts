// The reasons for a wait that the group machine gives in mode leased, made by the machine itself.
import { instant, nodeId, queryId, seededRandom } from '@tutti/base';
import {
  type Grant,
  groupSpec,
  GroupTree,
  type LeafHint,
  shardOfGroup,
  type WaitExplanation,
} from '@tutti/resource-groups';

const SEAT = nodeId('rm-1');
const SHARD = shardOfGroup('global');
const ASKED_AT = 100_000;
const LIMIT = 20;

/** A tree in which queries wait for slots. Nobody is known that deals them. */
function treeWith(queries: number): GroupTree {
  const global = groupSpec({ name: 'global', hardConcurrencyLimit: LIMIT, maxQueued: 100 });
  const leases = { life: { coordinatorId: 'coordinator-1', incarnation: 1 }, random: seededRandom(1) };
  const config = { rootGroups: [global], selectors: [] };
  const tree = new GroupTree({ config, usageMaxAgeMs: 3_000, leases });
  const target = { path: 'global', names: ['global'], specs: [global] };
  for (let number = 1; number <= queries; number++) {
    const submitted = { kind: 'submitted', queryId: queryId(`q${number}`), target, priority: 1 } as const;
    tree.apply(submitted, instant(ASKED_AT - 100));
  }
  return tree;
}

function owned(tree: GroupTree): GroupTree {
  const shards = [{ shard: SHARD, epoch: 3 }];
  tree.apply({ kind: 'leaseOwners', seat: SEAT, shards }, instant(ASKED_AT));
  return tree;
}

/** The owner grants two slots, and tells what the others wait for. */
function granted(tree: GroupTree, hints: readonly LeafHint[] = []): GroupTree {
  const caps = [{ group: 'global', cap: 2 }];
  const answer = { kind: 'renewed', epoch: 3, number: 1, ackSeq: 1, ttlMs: 10_000 } as const;
  const grant: Grant = { ...answer, caps, wishes: [], hints };
  tree.apply({ kind: 'leaseGranted', seat: SEAT, shard: SHARD, grant }, instant(ASKED_AT + 2));
  return tree;
}

/** One explanation of each kind, in the order of the page. */
export function leasedWaits(): (WaitExplanation | undefined)[] {
  const [last, soon] = [queryId('q4'), instant(ASKED_AT + 350)];
  const full = { blockingGroup: 'global', limit: LIMIT, held: LIMIT, aheadElsewhere: 2, isApproximate: false };
  const over = granted(owned(treeWith(4)));
  over.apply({ kind: 'tick' }, instant(ASKED_AT + 12_000));
  const cut = granted(owned(treeWith(4)));
  cut.apply({ kind: 'leaseStreamLost', seat: SEAT }, instant(ASKED_AT + 100));
  return [
    granted(owned(treeWith(4)), [{ group: 'global', ...full }]).explain(last, soon),
    granted(owned(treeWith(4))).explain(last, soon),
    owned(treeWith(4)).explain(queryId('q1'), soon),
    over.explain(queryId('q3'), instant(ASKED_AT + 12_000)),
    over.explain(queryId('q1'), instant(ASKED_AT + 12_000)),
    cut.explain(queryId('q3'), instant(ASKED_AT + 5_100)),
  ];
}
