import type { NetworkFaults } from '../../testing/faulty-network.js';

export const CALM: NetworkFaults = {
  ...{ delayMs: 1, spreadMs: 0, lossRate: 0, duplicateRate: 0, slowRate: 0, slowMs: 0, secondCopySlowness: 3 },
};
export const GOOD: NetworkFaults = { ...CALM, spreadMs: 4 };
export const ROUGH: NetworkFaults = {
  ...{ delayMs: 1, spreadMs: 30, lossRate: 0.05, duplicateRate: 0.2, slowRate: 0.1, slowMs: 900 },
  secondCopySlowness: 3,
};
