// Resource groups for people: a table of many, a record of one. Pure.
import { formatDuration, formatSize } from '@tutti/base';
import type { GroupView } from '../group-codec.js';
import { formatElapsed } from './quantities.js';
import { renderDataRecord, renderTable } from './render-table.js';
import { shellWord } from './shell-word.js';
import type { Styles } from './styles.js';

/** The groups as a table. Soft limits and CPU are columns when a group has them. */
export function renderGroups(groups: readonly GroupView[], styles: Styles): string {
  const anySoft = groups.some((group) => group.softConcurrencyLimit !== group.hardConcurrencyLimit);
  const anyCpu = groups.some((group) => group.cpuUsedMs !== null);
  const anyHeld = groups.some((group) => group.held !== null);
  const columns = [
    { title: 'group' },
    { title: 'state' },
    { title: 'running', right: true },
    ...(anyHeld ? [{ title: 'held', right: true }] : []),
    ...(anySoft ? [{ title: 'soft', right: true }] : []),
    { title: 'limit', right: true },
    { title: 'queued', right: true },
    { title: 'max queued', right: true },
    { title: 'memory', right: true },
    ...(anyCpu ? [{ title: 'cpu', right: true }] : []),
    { title: 'by coordinator (running + queued)' },
  ];
  const rows = groups.map((group) => [
    group.group,
    stateName(group),
    String(group.running),
    ...(anyHeld ? [group.held === null ? '' : String(group.held)] : []),
    ...(anySoft ? [String(group.softConcurrencyLimit)] : []),
    String(group.hardConcurrencyLimit),
    String(group.queued),
    String(group.maxQueued),
    memoryText(group),
    ...(anyCpu ? [cpuText(group)] : []),
    group.coordinators.map((share) => `${share.coordinator} ${share.running}+${share.queued}`).join(', '),
  ]);
  return renderTable(columns, rows, styles);
}

const stateName = ({ state }: GroupView): string => state.toLowerCase().replaceAll('_', ' ');

const memoryText = ({ memoryBytes, softMemoryLimitBytes: limit }: GroupView): string =>
  `${formatSize(memoryBytes)}${limit === null ? '' : ` of ${formatSize(limit)}`}`;

function cpuText({ cpuUsedMs, softCpuLimitMs, hardCpuLimitMs }: GroupView): string {
  if (cpuUsedMs === null) return '';
  const limit = hardCpuLimitMs ?? softCpuLimitMs;
  return `${formatDuration(cpuUsedMs)}${limit === null ? '' : ` of ${formatDuration(limit)}`}`;
}

const STATE_MEANS: Readonly<Record<string, string>> = {
  CAN_RUN: 'a query could start now',
  CAN_QUEUE: 'no query could start now, but one could wait',
  FULL: 'no query could start or wait now: new ones are turned away',
};

/** One group in full, an entry per line, with the command that tells who waits in it. */
export function renderGroup(group: GroupView, styles: Styles): string {
  const means = STATE_MEANS[group.state];
  const { softConcurrencyLimit: soft, hardConcurrencyLimit: hard, schedulingWeight: weight } = group;
  const entries: [string, string][] = [
    ['group', group.group],
    ['template', group.template === group.group ? '' : group.template],
    ['state', `${stateName(group)}${means === undefined ? '' : `: ${means}`}`],
    ['running', `${group.running} of ${hard}${soft === hard ? '' : `, softConcurrencyLimit ${soft}`}`],
    ['over limit', group.overAdmission === 0 ? '' : `${group.overAdmission} more run, as the workers count them`],
    ['held', group.held === null ? '' : `${group.held} of ${hard}, by all coordinators together`],
    ['queued', `${group.queued} of ${group.maxQueued}`],
    ['admission', admissionText(group)],
    ['memory', memoryText(group)],
    ['cpu', cpuInFull(group)],
    ['policy', [group.schedulingPolicy, weight > 1 ? `weight ${weight}` : ''].filter((part) => part !== '').join(', ')],
    ['guarantee', group.guarantee === 0 ? '' : String(group.guarantee)],
    ['on', group.coordinators.map(shareText).join('\n')],
    ['who waits', group.queued === 0 ? '' : `tutti queries why --group ${shellWord(group.group)}`],
  ];
  return renderDataRecord(entries, styles);
}

function admissionText({ admissionMode, owner, ownerEpoch }: GroupView): string {
  if (admissionMode !== 'leased') return admissionMode;
  return owner === null ? 'leased, no owner is known' : `leased, by ${owner} in epoch ${ownerEpoch ?? 0}`;
}

function cpuInFull({ cpuUsedMs, softCpuLimitMs, hardCpuLimitMs }: GroupView): string {
  if (cpuUsedMs === null) return '';
  return [
    `${formatDuration(cpuUsedMs)} used`,
    ...(softCpuLimitMs === null ? [] : [`fewer start from ${formatDuration(softCpuLimitMs)}`]),
    ...(hardCpuLimitMs === null ? [] : [`none start from ${formatDuration(hardCpuLimitMs)}`]),
  ].join('; ');
}

const shareText = (share: GroupView['coordinators'][number]): string =>
  `${share.coordinator}: ${share.running} running, ${share.queued} queued, ${formatSize(share.memoryBytes)}, heard ${formatElapsed(share.ageMs)} ago`;
