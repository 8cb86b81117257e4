import type { SimWorld } from '../world/sim-world.js';
import type { CountedGroup } from './counted-group.js';

/** How long somebody may wait where there is room, while nothing is wrong: two exchanges and more. */
const PATIENCE_MS = { leased: 1_000, gated: 3_000, presto: 4_000 };
/** A coordinator of which nobody starts while others start in the same group. */
const UNFAIR_FACTOR = 6;
const LOOK_MS = 100;

interface Hunger {
  readonly since: number;
  readonly starts: number;
}

/** A3: looked at now and then, from a moment on. */
export class HungerWatch {
  private readonly hungry = new Map<string, Hunger>();

  constructor(private readonly world: SimWorld) {}

  begin(fromMs: number): void {
    this.world.time.after(fromMs - this.world.time.now, () => this.look());
  }

  private look(): void {
    const { world } = this;
    const waiting = this.waitingByPlace();
    for (const group of world.checks.all) {
      const here = waiting.get(group);
      this.check(
        group.path,
        here !== undefined && group.hasRoom,
        group.starts,
        1,
        () => `nobody starts in ${group.path}`,
      );
      for (const { name, startsByLeaf } of world.coordinators) {
        const isHungry = group.hasRoom && (here?.has(name) ?? false);
        const starts = startsByLeaf.get(group.path) ?? 0;
        this.check(
          `${group.path} ${name}`,
          isHungry,
          starts,
          UNFAIR_FACTOR,
          () => `${name} starts nothing in ${group.path}`,
        );
      }
    }
    world.time.after(LOOK_MS, () => this.look());
  }

  private check(key: string, isHungry: boolean, starts: number, factor: number, text: () => string): void {
    const { time, checks, plan } = this.world;
    const before = this.hungry.get(key);
    if (!isHungry) {
      this.hungry.delete(key);
      return;
    }
    if (before?.starts !== starts) {
      this.hungry.set(key, { since: time.now, starts });
      return;
    }
    const forMs = time.now - before.since;
    if (forMs <= PATIENCE_MS[plan.mode] * factor) return;
    checks.violate('A3', `${text()} for ${Math.round(forMs)} ms, though somebody waits and there is room`);
    this.hungry.set(key, { since: time.now, starts });
  }

  private waitingByPlace(): Map<CountedGroup, Set<string>> {
    const waiting = new Map<CountedGroup, Set<string>>();
    for (const { state, leaf, at } of this.world.openQueries()) {
      if (state !== 'queued') continue;
      const places = waiting.get(leaf);
      if (places === undefined) waiting.set(leaf, new Set([at]));
      else places.add(at);
    }
    return waiting;
  }
}
