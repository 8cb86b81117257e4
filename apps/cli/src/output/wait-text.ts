// Why queries wait, for people: a table of many, a record of one. Pure.
import { formatDuration, formatSize } from '@tutti/base';
import type { QueryView, WaitView } from '../query-codec.js';
import { formatElapsed, formatEstimate, groupDigits } from './quantities.js';
import { errorText, placeText, stateName } from './query-text.js';
import { renderDataRecord, renderTable } from './render-table.js';
import { shellWord } from './shell-word.js';
import type { Styles } from './styles.js';

/** One query with all that is known of its wait, and the command to go on with. */
export function renderWhy(query: QueryView, styles: Styles): string {
  const wait = query.waitReason;
  const state = stateName(query);
  const entries: [string, string][] = [
    ['query', query.queryId],
    ['state', wait !== null || query.state === 'QUEUED' ? state : `${state}: it does not wait`],
    ['group', query.group],
    ...(wait === null ? noWaitEntries(query) : waitEntries(wait, query)),
    ['coordinator', query.coordinator],
    ['elapsed', `${formatElapsed(query.elapsedMs)}, of these ${formatElapsed(query.queuedMs)} queued`],
    ['next', nextCommand(query)],
  ];
  return renderDataRecord(entries, styles);
}

const noWaitEntries = (query: QueryView): [string, string][] => [
  ['waits because', query.state === 'QUEUED' ? 'its coordinator has not said why yet; ask again' : ''],
  ['error', errorText(query)],
];

const waitEntries = (wait: WaitView, query: QueryView): [string, string][] => [
  ['waits because', wait.message],
  ['blocked by', wait.blockingGroup],
  ['limit', limitText(wait)],
  ['running', runningText(wait, query)],
  ['owner', ownerText(wait)],
  ['lease', leaseText(wait, query)],
  ['claims', wait.claimsHere === 0 ? '' : `${groupDigits(wait.claimsHere)} of ${query.coordinator}`],
  ['place', placeText(query)],
  ['unblocked by', wait.unblockedBy],
  ['will wait', wait.estimatedWaitMs === null ? '' : formatEstimate(wait.estimatedWaitMs)],
  ['data age', wait.dataAgeMs === null ? '' : formatElapsed(wait.dataAgeMs)],
];

/** The limit that is reached, with what counts against it. */
function limitText({ kind, used, limit }: WaitView): string {
  switch (kind) {
    case 'CONCURRENCY_LIMIT':
      return `${groupDigits(used)} of ${groupDigits(limit)} queries run`;
    case 'WORKERS_PER_QUERY_LIMIT':
      return `${groupDigits(used)} queries run, ${groupDigits(limit)} may with the workers that there are`;
    case 'MEMORY_LIMIT':
      return `${formatSize(used)} of ${formatSize(limit)} of memory held`;
    case 'CPU_LIMIT':
      return `${formatDuration(used)} of ${formatDuration(limit)} of CPU used`;
    default:
      return ''; // What is missing is no limit.
  }
}

function runningText({ blockingGroup, runningHere, runningElsewhere }: WaitView, { coordinator }: QueryView): string {
  if (blockingGroup === '') return '';
  return `${groupDigits(runningHere)} on ${coordinator}, ${groupDigits(runningElsewhere)} on other coordinators`;
}

/** The resource manager that deals the slots. */
function ownerText({ lease }: WaitView): string {
  if (lease === null) return '';
  return lease.owner === null ? 'none is known' : `${lease.owner}, epoch ${lease.epoch}`;
}

/** What the coordinator of the query holds, and all together. */
function leaseText({ lease, blockingGroup }: WaitView, { group, coordinator }: QueryView): string {
  if (lease === null) return '';
  const { isValid, ageMs, heldHere, held } = lease;
  const age = ageMs === null ? 'none yet' : `${isValid ? 'holds' : 'is over'}, answered ${formatElapsed(ageMs)} ago`;
  const inCluster =
    held === null || blockingGroup === '' ? '' : `; ${groupDigits(held)} of ${blockingGroup} are held in all`;
  return `${age}; ${coordinator} holds ${groupDigits(heldHere)} of ${group}${inCluster}`;
}

function nextCommand({ queryId, waitReason }: QueryView): string {
  if (waitReason === null) return `tutti queries show ${shellWord(queryId)}`;
  const isAboutGroup = !['STALE_DATA', 'RESOURCE_MANAGERS_UNREACHABLE', 'NO_WORKERS'].includes(waitReason.kind);
  return isAboutGroup && waitReason.blockingGroup !== ''
    ? `tutti groups ${shellWord(waitReason.blockingGroup)}`
    : 'tutti status';
}

/** Queries that wait, in the order of the answer: group by group, the next one first. */
export function renderWaiting(queries: readonly QueryView[], styles: Styles): string {
  const anyPriority = queries.some(({ priority }) => priority > 1);
  const columns = [
    { title: 'query' },
    { title: 'user' },
    { title: 'group' },
    { title: 'coordinator' },
    ...(anyPriority ? [{ title: 'priority', right: true }] : []),
    { title: 'queued', right: true },
    { title: 'place', right: true },
    { title: 'will wait', right: true },
    { title: 'waits because' },
  ];
  const rows = queries.map(({ waitReason: wait, ...query }) => [
    query.queryId,
    query.user,
    query.group,
    query.coordinator,
    ...(anyPriority ? [String(query.priority)] : []),
    formatElapsed(query.queuedMs),
    wait === null || wait.position === 0 ? '' : groupDigits(wait.position),
    wait?.estimatedWaitMs == null ? '' : formatEstimate(wait.estimatedWaitMs),
    wait?.message ?? '',
  ]);
  return renderTable(columns, rows, styles);
}
