import type { Instant } from './clock.js';

/**
 * Milliseconds until the next tick: every `intervalMs` on the process's own clock, moved by the node's phase. Loops of
 * one process that wait for ticks wake together, which is much cheaper than one wake-up each; different nodes have
 * different phases, so that they do not all talk at once. A tick that is nearly over counts as over.
 */
export function untilTick(now: Instant, intervalMs: number, nodeId: string): number {
  const sinceTick = (now + phaseMs(nodeId)) % intervalMs;
  const leftMs = intervalMs - sinceTick;
  return leftMs < intervalMs / 10 ? leftMs + intervalMs : leftMs;
}

/** The same number below an hour for the same node. Algorithm: FNV-1a, 32 bits (Fowler, Noll, Vo). */
function phaseMs(nodeId: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < nodeId.length; index++) {
    hash = Math.imul(hash ^ nodeId.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash % 3_600_000;
}
