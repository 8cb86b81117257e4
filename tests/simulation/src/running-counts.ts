import type { GroupConfig } from '@tutti/resource-groups';
import { lineage, targetAt } from './sim-groups.js';

/** More queries ran at one moment than a group may run. */
export interface Breach {
  readonly atMs: number;
  readonly group: string;
  readonly running: number;
  readonly limit: number;
}

/** How many queries run in each group, and whether that was ever more than may. */
export class RunningCounts {
  readonly breaches: Breach[] = [];
  private readonly counts = new Map<string, number>();
  private readonly limits = new Map<string, number>();

  /** Queries of this group are to be expected. Of several limits the greatest counts. */
  allow(config: GroupConfig, group: string): void {
    const paths = lineage(group);
    targetAt(config, group).specs.forEach(({ hardConcurrencyLimit }, depth) => {
      const path = paths[depth] ?? '';
      this.limits.set(path, Math.max(this.limits.get(path) ?? 0, hardConcurrencyLimit));
    });
  }

  enter(leaf: string, atMs: number): void {
    for (const group of lineage(leaf)) {
      const running = this.running(group) + 1;
      const limit = this.limits.get(group) ?? 0;
      this.counts.set(group, running);
      if (running > limit) this.breaches.push({ atMs, group, running, limit });
    }
  }

  leave(leaf: string): void {
    for (const group of lineage(leaf)) this.counts.set(group, this.running(group) - 1);
  }

  running(group: string): number {
    return this.counts.get(group) ?? 0;
  }
}
