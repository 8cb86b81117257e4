import { type Instant, instant, queryId } from '@tutti/base';
import type { GroupConfig } from '../group-config.js';
import type { GroupEvent } from '../group-events.js';
import { GroupTree } from '../group-tree.js';
import { leasesOf } from './leases-of.js';
import { storyConfig, storyTarget } from './story-groups.js';

/** A coordinator that has the cluster for itself: each question is answered at once, and nobody else runs anything. */
export class LoneCoordinator {
  readonly tree: GroupTree;
  /** Queries that started, in order, with their groups. */
  readonly started: { readonly id: string; readonly group: string }[] = [];
  /** What runs, the oldest first, with their groups. */
  readonly running = new Map<string, string>();
  private readonly groups = new Map<string, string>();
  private nowMs = 1_000;
  private submitted = 0;

  /** Groups as in stories: see storyConfig. */
  constructor(...groups: string[]) {
    this.tree = new GroupTree({ config: storyConfig(groups), usageMaxAgeMs: 3_000, leases: leasesOf('lone') });
  }

  submit(group: string, priority = 1): string {
    const id = `q${this.submitted++}`;
    this.groups.set(id, group);
    const target = storyTarget(this.tree.config, group);
    this.apply({ kind: 'submitted', queryId: queryId(id), target, priority });
    return id;
  }

  finish(id: string): void {
    this.running.delete(id);
    this.groups.delete(id);
    this.apply({ kind: 'finished', queryId: queryId(id) });
  }

  reload(...groups: string[]): void {
    const config: GroupConfig = storyConfig(groups);
    this.apply({ kind: 'configured', config });
  }

  pass(ms: number): void {
    this.nowMs += ms;
  }

  get now(): Instant {
    return instant(this.nowMs);
  }

  queuedIn(group: string): number {
    return this.tree.totals().find((total) => total.group === group)?.queued ?? 0;
  }

  apply(event: GroupEvent): void {
    this.nowMs++;
    for (const effect of this.tree.apply(event, this.now)) {
      if (effect.kind === 'start') {
        const group = this.groups.get(effect.queryId) ?? '';
        this.started.push({ id: effect.queryId, group });
        this.running.set(effect.queryId, group);
      }
      if (effect.kind === 'askUsage') this.answer();
    }
  }

  private answer(): void {
    const knownRound = Math.max(0, ...this.tree.counts().map(({ claimRound }) => claimRound));
    const nothing = { groups: new Map(), cpu: new Map(), oldestDataAgeMs: 0, coordinatorCount: 0 };
    const usage = { ...nothing, requestedAt: this.now, answeredBy: 'rm', knownRound };
    this.apply({ kind: 'usageArrived', usage });
  }
}
