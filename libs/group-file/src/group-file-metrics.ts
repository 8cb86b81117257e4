import type { Counter, Gauge, Metrics } from '@tutti/service';

/** How the file of resource groups fares. */
export class GroupFileMetrics {
  private readonly valid: Gauge<string>;
  private readonly version: Gauge<string>;
  private readonly reloads: Counter<string>;

  constructor(metrics: Metrics) {
    const valid = '1 while the file of resource groups is good or there is none, 0 while the last good one holds';
    this.valid = metrics.gauge('tutti_resource_groups_file_valid', valid);
    const version = '1 with the version of the resource groups that hold';
    this.version = metrics.gauge('tutti_resource_groups_version', version, ['version']);
    const reloads = 'Changes of the file of resource groups that were seen: applied, or invalid';
    this.reloads = metrics.counter('tutti_resource_groups_reloads', reloads, ['outcome']);
  }

  /** The file is good, and this is its version. */
  loaded(version: string): void {
    this.valid.set(1);
    this.version.reset();
    this.version.set({ version }, 1);
  }

  applied(): void {
    this.reloads.inc({ outcome: 'applied' });
  }

  failed(): void {
    this.valid.set(0);
    this.reloads.inc({ outcome: 'invalid' });
  }
}
