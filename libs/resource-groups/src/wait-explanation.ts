import { unreachable } from '@tutti/base';
import type { GroupNode } from './group-node.js';
import type { ClaimsElsewhere } from './group-usage.js';
import type { LiveQuery } from './leaf-queue.js';

/** What a queued query waits for. */
export type WaitKind = 'concurrencyLimit' | 'queuedAhead' | 'staleData' | 'resourceManagersUnreachable';

/** Why a query has not started. */
export interface WaitExplanation {
  readonly kind: WaitKind;
  /** The first group, from the leaf up, that has no room; the leaf when that is not what is missing. */
  readonly blockingGroup: string;
  readonly hardConcurrencyLimit: number;
  readonly runningHere: number;
  readonly runningElsewhere: number;
  /** Queries that come before it, here and elsewhere. */
  readonly queuedAhead: number;
  /** Age of the oldest report in the data; undefined when there is no data that counts. */
  readonly dataAgeMs: number | undefined;
  /** The same in one sentence. */
  readonly message: string;
}

/** What an explanation is made from. */
export interface WaitFacts {
  readonly query: LiveQuery;
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
  const aheadHere = leaf.queue?.positionOf(query) ?? 0;
  const ahead = (node: GroupNode): number => aheadHere + claimsAhead(facts, node);
  const crowded = leaf.lineage.find((node) => node.running + ahead(node) >= node.limit);
  const group = full ?? (kind === 'queuedAhead' ? crowded : undefined) ?? leaf;
  const explanation = {
    kind,
    blockingGroup: group.path,
    hardConcurrencyLimit: group.limit,
    runningHere: group.here.running,
    runningElsewhere: group.elsewhere.running,
    queuedAhead: ahead(group),
    dataAgeMs,
  };
  return { ...explanation, message: sentence(explanation, facts) };
}

/** Claims of other coordinators in the group and below it; all of them when the query holds no claim yet. */
function claimsAhead({ query, claimsElsewhere }: WaitFacts, group: GroupNode): number {
  const round = query.claimed ? (query.leaf.queue?.claimRound ?? 0) : Infinity;
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

function sentence(explanation: Omit<WaitExplanation, 'message'>, facts: WaitFacts): string {
  const { kind, blockingGroup, hardConcurrencyLimit: limit, runningHere, runningElsewhere } = explanation;
  const { dataAgeMs, refusedAgeMs, unavailableMs } = facts;
  const { queuedAhead } = explanation;
  const age = dataAgeMs === undefined ? 'no data of them' : `data ${milliseconds(dataAgeMs)} old`;
  const where = `${runningHere} here and ${runningElsewhere} on other coordinators (${age})`;
  const counts = `${runningHere + runningElsewhere} of ${limit} run, ${where}`;
  const queue = queuedAhead === 0 ? '' : `; ${queuedAhead} ${queuedAhead === 1 ? 'query is' : 'queries are'} ahead`;
  const start = `waits in "${blockingGroup}":`;
  switch (kind) {
    case 'concurrencyLimit':
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

const milliseconds = (ms: number): string => (ms < 10_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 1000)} s`);
