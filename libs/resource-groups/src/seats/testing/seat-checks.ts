// What must hold in a world of seats, whatever happens.
//   S1. At every instant at most one seat believes to own a shard. (A belief begins in a step, and ends by the clock.)
//   S2. The epochs of a shard's owners grow.
//   S3. What was copied, and not replaced, is in the copies of the next owner, unless that is told to learn fully; and that
//       it is told only while some seat has forgotten. A first owner may miss what was copied before all seats restarted.
import { compareStamps, type CopyEntry } from '../copy-store.js';
import type { Acquired, SeatEffect } from '../seat-events.js';
import type { SeatNode, SeatWorld } from './seat-world.js';

export class Violation extends Error {}

interface ShardHistory {
  epoch: number;
  /** What owners had the seats keep, with no answer yet. */
  offered: CopyEntry[];
  /** What the owners were told is safe: per key the newest. */
  readonly safe: Map<string, CopyEntry>;
  /** When the last of it was told. */
  safeAtMs: number;
  /** The last offer to take a key out: nobody knows whether it was kept. */
  readonly removals: Map<string, CopyEntry>;
}

const NO_HISTORY = { epoch: 0, safeAtMs: -Infinity };

export class SeatChecks {
  acquisitions = 0;
  learnedFully = 0;
  handedOver = 0;
  firsts = 0;
  copied = 0;
  private readonly histories = new Map<number, ShardHistory>();

  constructor(private readonly world: () => SeatWorld) {}

  /** S1, to be called after each step. */
  afterStep(): void {
    const world = this.world();
    for (let shard = 0; shard < world.options.shardCount; shard++) {
      const owners = world.ownersOf(shard);
      if (owners.length > 1) this.fail(`S1: shard ${shard} has owners ${owners.map(({ seat }) => seat).join(' and ')}`);
    }
  }

  offer(shard: number, entry: CopyEntry): void {
    const history = this.history(shard);
    history.offered.push(entry);
    if (entry.payload === undefined) history.removals.set(entry.key, entry);
  }

  onEffect(node: SeatNode, effect: Exclude<SeatEffect, { kind: 'send' }>): void {
    if (effect.kind === 'copied') return this.noteCopied(effect);
    if (effect.kind !== 'acquired') return;
    const history = this.history(effect.shard);
    if (effect.epoch <= history.epoch)
      this.fail(`S2: ${node.seat} owns shard ${effect.shard} with epoch ${effect.epoch} after ${history.epoch}`);
    history.epoch = effect.epoch;
    history.offered = [];
    this.acquisitions++;
    if (effect.ledgerComplete) this.handedOver++;
    if (effect.isFirst) this.firsts++;
    this.checkCopies(node, effect, history);
  }

  private checkCopies(node: SeatNode, effect: Acquired, { safe, safeAtMs, removals }: ShardHistory): void {
    const isNewCluster = [...this.world().nodes.values()].every(({ startedAtMs }) => startedAtMs >= safeAtMs);
    if (effect.isFirst && isNewCluster) safe.clear();
    const found = new Map(effect.copies.map((entry) => [entry.key, entry]));
    for (const [key, entry] of safe) {
      const copy = found.get(key);
      const isThere = copy
        ? compareStamps(copy, entry) >= 0
        : compareStamps(removals.get(key) ?? { epoch: 0, seq: 0 }, entry) >= 0;
      if (isThere) continue;
      if (!effect.mustLearnFully)
        this.fail(`S3: ${node.seat} (epoch ${effect.epoch}) misses ${key} ${entry.epoch}.${entry.seq}`);
      // It learns what is true without it.
      safe.delete(key);
    }
    if (!effect.mustLearnFully) return;
    this.learnedFully++;
    const { nodes } = this.world();
    if ([...nodes.values()].every(({ machine }) => machine?.remembers(effect.shard)))
      this.fail(`S3: ${node.seat} must learn shard ${effect.shard} though nobody has forgotten`);
  }

  private noteCopied({ shard, epoch, seq }: { shard: number; epoch: number; seq: number }): void {
    const history = this.history(shard);
    this.copied++;
    history.safeAtMs = this.world().time.now;
    for (const entry of history.offered) {
      const isCovered = entry.epoch === epoch && entry.seq <= seq;
      const known = history.safe.get(entry.key);
      if (isCovered && (!known || compareStamps(entry, known) > 0)) history.safe.set(entry.key, entry);
    }
    history.offered = history.offered.filter((entry) => entry.seq > seq);
  }

  private history(shard: number): ShardHistory {
    let history = this.histories.get(shard);
    if (history === undefined)
      this.histories.set(shard, (history = { ...NO_HISTORY, offered: [], safe: new Map(), removals: new Map() }));
    return history;
  }

  private fail(message: string): never {
    throw new Violation(`${message} at ${Math.round(this.world().time.now)} ms`);
  }
}
