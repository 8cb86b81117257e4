import type { AdmissionReport } from './admission.js';

/** The report as two tables for people. */
export function admissionTable(report: AdmissionReport): readonly string[] {
  const { limit, modes, faults } = report;
  const lines = [
    `Limit ${limit}; ${report.resourceManagers} resource managers, ${report.coordinators} coordinators, ${report.workers} workers.`,
  ];
  if (modes.length > 0)
    lines.push(
      '',
      ...table(
        [
          'mode',
          'peak / L',
          's over L',
          'use',
          'wait p50',
          'wait p99',
          'at once',
          'RPCs/start',
          'in burst',
          'RM cores',
          'coord. cores',
          'failed',
        ],
        modes.map((one) => [
          one.mode,
          one.peakOverLimit.toFixed(2),
          one.secondsOverLimit.toFixed(2),
          one.utilization.toFixed(2),
          ms(one.waitP50Ms),
          ms(one.waitP99Ms),
          `${(one.startedAtOnce * 100).toFixed(1)} %`,
          one.rpcsPerAdmission.toFixed(2),
          one.burstRpcsPerAdmission.toFixed(2),
          one.rmCores.toFixed(3),
          one.coordinatorCores.toFixed(3),
          `${one.failedQueries}`,
        ]),
      ),
      'Peak, use and "in burst": 3 x L queries on every coordinator at once. The rest: queries one after another, slots free.',
    );
  if (faults.length > 0)
    lines.push(
      '',
      ...table(
        ['fault (mode leased)', 'peak / L', 's over L', 'use', 'dealt again', 'failed', 'why'],
        faults.map((one) =>
          'notPossibleHere' in one
            ? [one.fault, '-', '-', '-', '-', '-', `not possible here: ${one.notPossibleHere}`]
            : [
                one.fault,
                one.peakOverLimit.toFixed(2),
                one.secondsOverLimit.toFixed(2),
                one.utilization.toFixed(2),
                one.redealMs === null ? 'never' : ms(one.redealMs),
                `${one.failedQueries} of ${one.queries}`,
                Object.entries(one.failures)
                  .map(([reason, count]) => `${count} ${reason}`)
                  .join(', '),
              ],
        ),
      ),
    );
  return lines;
}

const ms = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} ms`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)));
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
