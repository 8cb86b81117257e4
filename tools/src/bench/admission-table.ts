import type { AdmissionReport } from './admission.js';
import type { ModeReport } from './admission-mode.js';

/** The report as tables for people. */
export function admissionTable(report: AdmissionReport): readonly string[] {
  const { limit, modes, faults } = report;
  const lines = [
    `Limit ${limit}; ${report.resourceManagers} resource managers, ${report.coordinators} coordinators, ${report.workers} workers.`,
  ];
  if (modes.length > 0) lines.push('', ...burstTable(modes), '', ...steadyTable(modes));
  if (faults.length > 0)
    lines.push(
      '',
      ...table(
        ['fault (mode leased)', 'peak / L', 's over L', 'use', 'dealt again', 'before', 'failed', 'why'],
        faults.map((one) =>
          'notPossibleHere' in one
            ? [one.fault, '-', '-', '-', '-', '-', '-', `not possible here: ${one.notPossibleHere}`]
            : [
                one.fault,
                one.peakOverLimit.toFixed(2),
                one.secondsOverLimit.toFixed(2),
                one.utilization.toFixed(2),
                one.redealMs === null ? 'never' : ms(one.redealMs),
                one.waitBeforeMs === undefined ? '' : ms(one.waitBeforeMs),
                `${one.failedQueries} of ${one.queries}`,
                Object.entries(one.failures)
                  .map(([reason, count]) => `${count} ${reason}`)
                  .join(', '),
              ],
        ),
      ),
      'Before: the longest wait for a new slot in as long a time before the fault.',
    );
  return lines;
}

const burstTable = (modes: readonly ModeReport[]): string[] =>
  table(
    ['burst of 3 x L each', 'peak / L', 's over L', 'use', 'RPCs/start', 'failed'],
    modes.map((one) => [
      one.mode,
      one.peakOverLimit.toFixed(2),
      one.secondsOverLimit.toFixed(2),
      one.utilization.toFixed(2),
      one.burstRpcsPerAdmission.toFixed(2),
      `${one.failedQueries}`,
    ]),
  );

const steadyTable = (modes: readonly ModeReport[]): string[] => [
  ...table(
    [
      ...['free slots', 'no RPC', 'wait p50', 'p99', 'added p50', 'p99', '<= 0.5 ms', 'RPCs/start'],
      ...['RM cores', 'coord. cores', 'busy', 'core wait'],
    ],
    modes.map((one) => [
      one.mode,
      percent(one.startedWithoutRpc),
      ms(one.waitP50Ms),
      ms(one.waitP99Ms),
      one.addedP50Ms === null ? '-' : ms(one.addedP50Ms),
      one.addedP99Ms === null ? '-' : ms(one.addedP99Ms),
      percent(one.startedAtOnce),
      one.rpcsPerAdmission.toFixed(2),
      one.rmCores.toFixed(3),
      one.coordinatorCores.toFixed(3),
      percent(one.machineBusy),
      ms(one.coreWaitMs),
    ]),
  ),
  'No RPC: started in the turn in which they came, as the coordinators count. Wait: from the choice of the group to the start,',
  'on the wall clock; added: more than in mode presto, which never asks anybody. Busy: all cores of the machine. Core wait: how',
  'long the event loops of the coordinators had work and no core, per query and over all of it: waits contain some of that.',
];

const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
