// Queries for people: tables of many, records of one. Pure.
import { formatDuration, formatSize } from '@tutti/base';
import type { QueryView } from '../query-codec.js';
import { formatCount, formatElapsed, formatEstimate, groupDigits } from './quantities.js';
import { renderDataRecord, renderTable } from './render-table.js';
import type { Styles } from './styles.js';
import { clipText } from './text-width.js';

const STATEMENT_WIDTH_MAX = 60;
const oneLine = (statement: string): string => clipText(statement.replace(/\s+/g, ' ').trim(), STATEMENT_WIDTH_MAX);

/** The queries as a table; why they wait is a column when one of them does. */
export function renderQueries(queries: readonly QueryView[], styles: Styles): string {
  const anyWaits = queries.some((query) => query.waitReason !== null);
  const columns = [
    { title: 'query' },
    { title: 'state' },
    { title: 'user' },
    { title: 'group' },
    { title: 'coordinator' },
    { title: 'elapsed', right: true },
    { title: 'queued', right: true },
    { title: 'rows', right: true },
    ...(anyWaits ? [{ title: 'waits because' }] : []),
    { title: 'statement' },
  ];
  const rows = queries.map((query) => [
    query.queryId,
    query.error === null ? stateName(query) : `${stateName(query)}: ${query.error.reason}`,
    query.user,
    query.group,
    query.coordinator,
    formatElapsed(query.elapsedMs),
    formatElapsed(query.queuedMs),
    groupDigits(query.rows),
    ...(anyWaits ? [query.waitReason?.message ?? ''] : []),
    oneLine(query.statement),
  ]);
  return renderTable(columns, rows, styles);
}

/** The name of a query's state for people: "waiting for resources". */
export const stateName = (query: QueryView): string => query.state.toLowerCase().replaceAll('_', ' ');

/** One query, an entry per line. */
export function renderQuery(query: QueryView, styles: Styles): string {
  const { error, waitReason: wait } = query;
  return renderDataRecord(
    [
      ['query', query.queryId],
      ['state', stateName(query)],
      ['waits because', wait?.message ?? ''],
      ['place', placeText(query)],
      ['unblocked by', wait?.unblockedBy ?? ''],
      ['will wait', wait?.estimatedWaitMs == null ? '' : formatEstimate(wait.estimatedWaitMs)],
      ['data age', wait?.dataAgeMs == null ? '' : formatElapsed(wait.dataAgeMs)],
      ['error', errorText(query)],
      ['at', error === null || error.line === 0 ? '' : `line ${error.line}, column ${error.column}`],
      [
        'retriable',
        error === null ? '' : error.retriable ? 'yes: the same statement may succeed when sent again' : 'no',
      ],
      ['user', query.user],
      ['principal', query.principal],
      ['source', query.source],
      ['client info', query.clientInfo],
      ['client tags', query.clientTags.join(', ')],
      ['context', [query.catalog, query.schema].filter((part) => part !== '').join('.')],
      ['group', query.group],
      ['priority', query.priority > 1 ? String(query.priority) : ''],
      ['limits', limitsText(query)],
      ['coordinator', query.coordinator],
      ['workers', query.workers.join(' ')],
      ...stageEntries(query),
      [
        'session',
        Object.entries(query.properties)
          .map(([name, value]) => `${name} = ${value}`)
          .join(', '),
      ],
      ['created', query.createTime ?? ''],
      ['elapsed', formatElapsed(query.elapsedMs)],
      ['queued', formatElapsed(query.queuedMs)],
      ['cpu', formatElapsed(query.cpuMs)],
      ['result', `${groupDigits(query.rows)} rows, ${formatSize(query.resultBytes)}`],
      ['memory', `${formatSize(query.memoryBytes)} now, ${formatSize(query.peakMemoryBytes)} at most`],
      ['spilled', query.spilledBytes === 0 ? '' : formatSize(query.spilledBytes)],
      ['statement', query.statement],
    ],
    styles,
  );
}

/** How it runs on several workers, or why it does not. */
function stageEntries({ stages, distributionReason }: QueryView): readonly (readonly [string, string])[] {
  if (stages === null) return [['runs whole', distributionReason]];
  const { tasksRunning, retries } = stages;
  const running = tasksRunning === 0 ? '' : `, ${groupDigits(tasksRunning)} running`;
  return [
    ['stages', `${groupDigits(stages.stagesDone)} of ${groupDigits(stages.stages)} done`],
    ['tasks', `${groupDigits(stages.tasksDone)} of ${groupDigits(stages.tasks)} done${running}`],
    ['splits', `${groupDigits(stages.splitsDone)} of ${groupDigits(stages.splits)} read`],
    ['started again', retries === 0 ? '' : formatCount(retries, 'task')],
    ['exchanged', `${formatCount(stages.exchangedRows, 'row')}, ${formatSize(stages.exchangedBytes)}`],
  ];
}

/** The error of a query in one line; empty when it has none. */
export const errorText = ({ error }: QueryView): string => (error === null ? '' : `${error.reason}: ${error.message}`);

/** Where a query stands among those that wait for the same group; empty when it is not known. */
export function placeText({ waitReason }: QueryView): string {
  const { position = 0, blockingGroup = '' } = waitReason ?? {};
  if (position === 0) return '';
  return `${groupDigits(position)}${blockingGroup === '' ? '' : ` of those that wait for ${blockingGroup}`}`;
}

function limitsText({ limits }: QueryView): string {
  const { executionTimeMs, cpuTimeMs, memoryBytes } = limits;
  return [
    ...(executionTimeMs === null ? [] : [`${formatDuration(executionTimeMs)} from its start`]),
    ...(cpuTimeMs === null ? [] : [`${formatDuration(cpuTimeMs)} of CPU`]),
    ...(memoryBytes === null ? [] : [`${formatSize(memoryBytes)} of memory`]),
  ].join(', ');
}
