import type { CutSettings } from '@tutti/sql';

/** How a query runs on several workers. */
export interface DistributionSettings extends Omit<CutSettings, 'workers'> {
  /** auto: on several workers where that pays; single: whole on one worker; forced: in stages whenever possible. */
  readonly distribution: 'auto' | 'single' | 'forced';
  readonly exchangeCompression: 'none' | 'lz4' | 'zstd';
}

/** What holds where neither the session nor the coordinator says otherwise. */
export const DISTRIBUTION_DEFAULTS: DistributionSettings = {
  distribution: 'auto',
  tasksPerWorker: 4,
  taskRows: 5_000_000,
  replicatedRowsMax: 200_000,
  broadcastRowsMax: 200_000,
  isAdaptive: true,
  exchangeCompression: 'none',
};
