import { instant } from '@tutti/base';
import type { GroupSpec } from '../../group-config.js';
import type { LeafDemand, LeasedTask } from '../lease-messages.js';
import { LeaseOwner } from '../lease-owner.js';
import type { OwnerEffect, OwnerEvent } from '../owner-events.js';

/** An owner of epoch 1 that has nothing to learn, and knows c1, c2 and w1. */
export class TestOwner {
  readonly owner = new LeaseOwner();
  nowMs = 0;
  private readonly seqs = new Map<string, number>();
  private sequence = 0;

  constructor(rootGroups: readonly GroupSpec[]) {
    this.apply({ kind: 'configured', rootGroups });
    this.apply({ kind: 'acquired', epoch: 1, copies: [], mustLearnFully: false, learnMs: 0 });
    this.members(['w1']);
  }

  apply(event: OwnerEvent): OwnerEffect[] {
    return this.owner.apply(event, instant(this.nowMs));
  }

  members(workers: readonly string[]): void {
    const coordinators = ['c1', 'c2'].map((coordinatorId) => ({ coordinatorId, incarnation: 1 }));
    const listed = workers.map((workerId) => ({ workerId, incarnation: 1 }));
    this.keep(this.apply({ kind: 'membership', coordinators, workers: listed }));
  }

  /** All that a coordinator has; its first demand is that of a new life. */
  demand(coordinatorId: string, ...leaves: LeafDemand[]): OwnerEffect[] {
    const seq = (this.seqs.get(coordinatorId) ?? 0) + 1;
    this.seqs.set(coordinatorId, seq);
    const stamp = seq === 1 ? { epoch: 0, seq: 0 } : { epoch: 1, seq: seq - 1 };
    const order = { seq, ownerEpoch: 1, baseSeq: undefined, epochSeen: 1, stamp, isLapsed: seq === 1 };
    return this.apply({ kind: 'demand', demand: { coordinatorId, incarnation: 1, ...order, leaves } });
  }

  /** Copies are kept at once. */
  keep(effects: readonly OwnerEffect[]): OwnerEffect[] {
    const all = [...effects];
    for (const effect of effects) {
      if (effect.kind !== 'copy') continue;
      all.push(...this.keep(this.apply({ kind: 'copied', seq: effect.entries.at(-1)?.seq ?? 0 })));
    }
    return all;
  }

  report(workerId: string, tasks: readonly LeasedTask[], version = 0): OwnerEffect[] {
    const report = { workerId, incarnation: 1, sequence: ++this.sequence, tasks };
    return this.keep(this.apply({ kind: 'workerReport', report: { ...report, fencesKept: { epoch: 1, version } } }));
  }

  passes(ms: number): OwnerEffect[] {
    this.nowMs += ms;
    return this.keep(this.apply({ kind: 'tick' }));
  }
}
