import type { GroupCounts } from './group-tree.js';

/** One group, summed over the cluster, everything below it included. */
export interface GroupTotal {
  readonly group: string;
  readonly running: number;
  readonly queued: number;
  readonly hardConcurrencyLimit: number;
  readonly maxQueued: number;
  /** Age is undefined for a silent coordinator, known by what workers run for it. */
  readonly coordinators: readonly {
    readonly coordinatorId: string;
    readonly running: number;
    readonly queued: number;
    readonly ageMs: number | undefined;
  }[];
}

interface Share {
  running: number;
  queued: number;
  ageMs: number | undefined;
}

/** Adds up what coordinators run and wait for, group by group. */
export class GroupTotals {
  private readonly shares = new Map<string, Map<string, Share>>();
  private readonly specs = new Map<string, { hardConcurrencyLimit: number; maxQueued: number }>();

  limits({ group, hardConcurrencyLimit, maxQueued }: GroupCounts): void {
    this.specs.set(group, { hardConcurrencyLimit, maxQueued });
  }

  /** Adds to the group and all its ancestors. */
  add(group: string, coordinatorId: string, running: number, queued: number, ageMs: number | undefined): void {
    for (let end = group.length; end > 0; end = group.lastIndexOf('.', end - 1)) {
      const path = group.slice(0, end);
      let shares = this.shares.get(path);
      if (shares === undefined) this.shares.set(path, (shares = new Map<string, Share>()));
      const share = shares.get(coordinatorId) ?? { running: 0, queued: 0, ageMs };
      shares.set(coordinatorId, {
        running: share.running + running,
        queued: share.queued + queued,
        ageMs: share.ageMs,
      });
    }
  }

  list(): GroupTotal[] {
    return [...this.shares]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([group, shares]) => {
        const coordinators = [...shares]
          .filter(([, { running, queued }]) => running + queued > 0)
          .map(([coordinatorId, share]) => ({ coordinatorId, ...share }));
        const sum = (pick: (share: Share) => number) => coordinators.reduce((total, share) => total + pick(share), 0);
        const spec = this.specs.get(group) ?? { hardConcurrencyLimit: 0, maxQueued: 0 };
        return { group, running: sum((s) => s.running), queued: sum((s) => s.queued), ...spec, coordinators };
      });
  }
}
