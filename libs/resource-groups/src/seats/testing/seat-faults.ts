import type { NetworkFaults } from '../../testing/faulty-network.js';

export const CALM: NetworkFaults = {
  ...{ delayMs: 10, spreadMs: 0, lossRate: 0, duplicateRate: 0, slowRate: 0, slowMs: 0, secondCopySlowness: 5 },
};
export const GOOD: NetworkFaults = { ...CALM, delayMs: 1, spreadMs: 5 };
export const ROUGH: NetworkFaults = {
  ...{ delayMs: 1, spreadMs: 40, lossRate: 0.05, duplicateRate: 0.3, slowRate: 0.15, slowMs: 900 },
  secondCopySlowness: 5,
};
