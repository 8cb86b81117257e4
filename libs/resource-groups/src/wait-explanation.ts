import { unreachable } from '@tutti/base';
import type { GroupNode } from './group-node.js';
import type { ClaimsElsewhere } from './group-usage.js';
import type { LiveQuery } from './leaf-queue.js';
import type { LinkedList } from './linked-list.js';

/** What a queued query waits for. */
export type WaitKind =
  | 'concurrencyLimit'
  | 'memoryLimit'
  | 'cpuLimit'
  | 'workersPerQueryLimit'
  | 'queuedAhead'
  | 'staleData'
  | 'resourceManagersUnreachable';

/** Why a query has not started. */
export interface WaitExplanation {
  readonly kind: WaitKind;
  /** The first group, from the leaf up, that has no room; the leaf when that is not what is missing. */
  readonly blockingGroup: string;
  readonly hardConcurrencyLimit: number;
  readonly runningHere: number;
  readonly runningElsewhere: number;
  /**
   * Queries that come before it at the blocking group, as of the data. With a claim it is exact, here and elsewhere.
   * Without one it is the most: those before it here and all that wait elsewhere and in other subgroups. Some of them
   * may come later. Without data it counts those here alone.
   */
  readonly queuedAhead: number;
  /** Age of the oldest report in the data; undefined when there is no data that counts. */
  readonly dataAgeMs: number | undefined;
  /** The same in one sentence. */
  readonly message: string;
  /** The limit that is reached, in its unit: queries, bytes for memory, milliseconds for CPU. */
  readonly limit: number;
  /** What counts against it now, over the whole cluster. */
  readonly used: number;
  /** Starts that this coordinator has asked for in the blocking group and not made yet. */
  readonly claimsHere: number;
  /** Its place among those that wait for the blocking group: 1 is next. */
  readonly position: number;
  /** What would let it start, in one sentence. */
  readonly unblockedBy: string;
  /** How long it waits if queries go on to start here as in the last minute; undefined when too few did. */
  readonly estimatedWaitMs: number | undefined;
}

/** What an explanation is made from. */
export interface WaitFacts {
  readonly query: LiveQuery;
  /** The leaves here that hold claims, in their order. */
  readonly claims: LinkedList<GroupNode>;
  /** The newest round of ours that the data knows; 0 without data. */
  readonly knownRound: number;
  readonly claimsElsewhere: readonly ClaimsElsewhere[];
  readonly dataAgeMs: number | undefined;
  /** Age of the oldest report in the newest answer, when that was too old to decide on. */
  readonly refusedAgeMs: number | undefined;
  /** Whether nothing starts because another resource manager has just begun to answer. */
  readonly isHeld: boolean;
  /** For how long no resource manager has answered. */
  readonly unavailableMs: number | undefined;
  /** Whether the data was asked for late enough to decide on this query. */
  readonly claimIsKnown: boolean;
}

export function explainWait(facts: WaitFacts): WaitExplanation {
  const { query, dataAgeMs } = facts;
  const { leaf } = query;
  const full = leaf.lineage.find((node) => node.running >= node.limit);
  const kind = kindOf(full, facts);
  const crowded = leaf.lineage.find((node) => node.running + queriesAhead(facts, node).count >= node.limit);
  const group = full ?? (kind === 'queuedAhead' ? crowded : undefined) ?? leaf;
  const ahead = queriesAhead(facts, group);
  const explanation = {
    kind,
    blockingGroup: group.path,
    hardConcurrencyLimit: group.limit,
    runningHere: group.here.running,
    runningElsewhere: group.elsewhere.running,
    queuedAhead: ahead.count,
    dataAgeMs,
    limit: group.limit,
    used: group.running,
    claimsHere: group.here.claimed,
    position: ahead.count + 1,
    unblockedBy: `a query of ${group.path} ends`,
    estimatedWaitMs: undefined,
  };
  return { ...explanation, message: sentence(explanation, ahead, facts) };
}

/** Queries that come before another one. */
interface Ahead {
  readonly count: number;
  /** Whether some of them may come later. */
  readonly isBound: boolean;
}

function queriesAhead(facts: WaitFacts, group: GroupNode): Ahead {
  const { query, knownRound } = facts;
  const { leaf } = query;
  const inLeaf = leaf.queue?.positionOf(query) ?? 0;
  if (query.claimed && leaf.queue && leaf.queue.claimRound <= knownRound) {
    const claimsHere = claimsAheadHere(facts, leaf.queue.claimRound, inLeaf, group);
    return { count: inLeaf + claimsHere + claimsAheadElsewhere(facts, leaf.queue.claimRound, group), isBound: false };
  }
  const others = group.here.queued - leaf.here.queued + group.elsewhere.queued;
  return { count: inLeaf + others, isBound: others > 0 };
}

/** Claims of other subgroups: all of earlier rounds; in the same round the leaves take turns. */
function claimsAheadHere({ query, claims }: WaitFacts, round: number, inLeaf: number, group: GroupNode): number {
  let count = 0;
  let turn = inLeaf + 1;
  for (let link = claims.first; link !== undefined; link = link.next) {
    const { lineage, queue } = link.value;
    if (link.value === query.leaf) turn = inLeaf;
    else if (queue && queue.claimRound <= round && lineage.includes(group))
      count += queue.claimRound < round ? queue.claimed : Math.min(queue.claimed, turn);
  }
  return count;
}

function claimsAheadElsewhere({ claimsElsewhere }: WaitFacts, round: number, group: GroupNode): number {
  return claimsElsewhere
    .filter((claims) => claims.round <= round && claims.node.lineage.includes(group))
    .reduce((sum, { count }) => sum + count, 0);
}

function kindOf(full: GroupNode | undefined, { dataAgeMs, unavailableMs, claimIsKnown, isHeld }: WaitFacts): WaitKind {
  // What runs here alone may fill a group: that is known without any data.
  if (full !== undefined && (dataAgeMs !== undefined || full.here.running >= full.limit)) return 'concurrencyLimit';
  if (dataAgeMs === undefined && unavailableMs !== undefined) return 'resourceManagersUnreachable';
  return dataAgeMs !== undefined && claimIsKnown && !isHeld ? 'queuedAhead' : 'staleData';
}

function sentence(explanation: Omit<WaitExplanation, 'message'>, ahead: Ahead, facts: WaitFacts): string {
  const { kind, blockingGroup, hardConcurrencyLimit: limit, runningHere, runningElsewhere } = explanation;
  const { dataAgeMs, refusedAgeMs, unavailableMs } = facts;
  const age = dataAgeMs === undefined ? 'no data of them' : `data ${milliseconds(dataAgeMs)} old`;
  const where = `${runningHere} here and ${runningElsewhere} on other coordinators (${age})`;
  const counts = `${runningHere + runningElsewhere} of ${limit} run, ${where}`;
  const queue = ahead.count === 0 ? '' : `; ${aheadInWords(ahead)}${dataAgeMs === undefined ? ' here' : ''}`;
  const start = `waits in "${blockingGroup}":`;
  switch (kind) {
    case 'concurrencyLimit':
    case 'memoryLimit':
    case 'cpuLimit':
    case 'workersPerQueryLimit':
      return limit === 0 ? `${start} its hardConcurrencyLimit is 0, nothing may run` : `${start} ${counts}${queue}`;
    case 'queuedAhead':
      return `${start} ${counts}, and others came first${queue}`;
    case 'staleData':
      if (dataAgeMs !== undefined && facts.isHeld)
        return `${start} another resource manager answers than before; it must hear of all that started${queue}`;
      if (refusedAgeMs === undefined) return `${start} asking the resource managers what runs elsewhere${queue}`;
      return `${start} the newest answer tells what ran ${milliseconds(refusedAgeMs)} ago, too old to decide on${queue}`;
    case 'resourceManagersUnreachable':
      return `${start} no resource manager has answered for ${milliseconds(unavailableMs ?? 0)}${queue}`;
    default:
      return unreachable(kind);
  }
}

const aheadInWords = ({ count, isBound }: Ahead): string =>
  `${isBound ? 'up to ' : ''}${count} ${count === 1 ? 'query is' : 'queries are'} ahead`;

const milliseconds = (ms: number): string => (ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1000)} s`);
