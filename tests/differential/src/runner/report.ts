// Counts what became of the queries, by configuration.
import type { Verdict } from './differential.js';

interface Counts {
  equal: number;
  /** Of the equal ones: in how many stages they ran, all together. */
  stages: number;
  severalStages: number;
  whole: number;
  bothFailed: number;
  wrong: number;
}

export class Report {
  private readonly counts = new Map<string, Counts>();
  private readonly reasons = new Map<string, number>();

  add(configuration: string, verdict: Verdict): void {
    const known = this.counts.get(configuration);
    const counts = known ?? { equal: 0, stages: 0, severalStages: 0, whole: 0, bothFailed: 0, wrong: 0 };
    if (known === undefined) this.counts.set(configuration, counts);
    counts[verdict.kind]++;
    if (verdict.kind === 'equal') {
      counts.stages += verdict.stages;
      if (verdict.stages > 1) counts.severalStages++;
    }
  }

  /** A query that runs whole in at least one configuration. */
  addReason(reason: string): void {
    this.reasons.set(reason, (this.reasons.get(reason) ?? 0) + 1);
  }

  /** How many statements ran in several stages under a configuration. */
  severalStages(configuration: string): number {
    return this.counts.get(configuration)?.severalStages ?? 0;
  }

  text(title: string): string {
    const heads = ['configuration', 'equal', 'in stages', 'stages', 'whole', 'both fail', 'wrong'];
    const rows = [...this.counts].map(([name, { equal, severalStages, stages, whole, bothFailed, wrong }]) =>
      [name, equal, severalStages, stages, whole, bothFailed, wrong].map(String),
    );
    const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => (row[column] ?? '').length)));
    const line = (cells: readonly string[]): string =>
      cells
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ');
    const reasons = [...this.reasons]
      .sort(([, a], [, b]) => b - a)
      .map(([reason, count]) => `${String(count).padStart(5)}  ${reason}`);
    return [title, line(heads), ...rows.map(line), 'Queries that run whole, by reason:', ...reasons, ''].join('\n');
  }
}
