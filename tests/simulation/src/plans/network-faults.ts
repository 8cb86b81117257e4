import type { NetworkFaults } from '../kernel/sim-network.js';

const PERFECT = { lossRate: 0, duplicateRate: 0, slowRate: 0, slowMs: 0, breakRate: 0 };

/** A network in which nothing is wrong: about a millisecond one way. */
export const CALM: NetworkFaults = { ...PERFECT, delayMs: 0.5, spreadMs: 1 };

/** Messages that are late, twice and out of order, as over many connections. None is lost. */
export const ROUGH: NetworkFaults = {
  ...{ delayMs: 0.5, spreadMs: 6, lossRate: 0, duplicateRate: 0.05, slowRate: 0.05, slowMs: 300, breakRate: 0.0005 },
};

export const LOSSY: NetworkFaults = { ...ROUGH, lossRate: 0.05 };

/** As bad as it gets while anything works at all. */
export const STORMY: NetworkFaults = {
  ...{ delayMs: 1, spreadMs: 30, lossRate: 0.05, duplicateRate: 0.2, slowRate: 0.1, slowMs: 900, breakRate: 0.003 },
};
