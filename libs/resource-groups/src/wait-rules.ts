// Who may wait, and for how long: G6 of group-tree.ts, and queueTimeout.
import type { Instant } from '@tutti/base';
import type { QueryRejected } from './group-events.js';
import type { GroupNode } from './group-node.js';
import type { GroupRoot } from './group-root.js';
import type { UsageSnapshot } from './group-usage.js';
import type { LiveQueries } from './live-queries.js';
import type { LiveQuery } from './live-query.js';
import { queueTimeoutOf } from './queue-timeouts.js';

export class WaitRules {
  constructor(private readonly live: LiveQueries) {}

  /** Decides on those that came before an answer was asked for, each after those that came before it. */
  decide(root: GroupRoot, usage: UsageSnapshot | undefined, now: Instant): QueryRejected[] {
    const rejected: QueryRejected[] = [];
    if (usage === undefined) return rejected;
    for (let query; (query = root.undecided.first()) !== undefined && query.submittedAt <= usage.requestedAt;) {
      this.live.letWait(query);
      const effect = this.rejectIf(query, (node) => node.isOverfull, now);
      if (effect !== undefined) rejected.push(effect);
    }
    return rejected;
  }

  /** Whether queries came after the newest answer was asked for. */
  couldDecideMore(root: GroupRoot, answeredUpTo: Instant): boolean {
    return root.undecided.size > 0 && root.lastSubmittedAt > answeredUpTo;
  }

  /** Turns a query away when what is here alone leaves no room for it. */
  rejectIfFullHere(query: LiveQuery, now: Instant): QueryRejected | undefined {
    return this.rejectIf(query, (node) => node.isOverfullHere, now);
  }

  /** Ends the query that has waited for too long for longest; undefined when there is none. */
  endOverdue(now: Instant): { readonly effect: QueryRejected; readonly root: GroupRoot } | undefined {
    const query = this.live.timeouts.overdue(now);
    const timeout = query && queueTimeoutOf(query.leaf);
    if (query === undefined || timeout === undefined) return undefined;
    this.live.remove(query, now);
    const [group, limit] = [timeout.group.path, timeout.timeoutMs];
    const effect = { kind: 'reject', queryId: query.queryId, reason: 'queueTimeout', group, limit } as const;
    return { effect, root: query.leaf.root };
  }

  private rejectIf(query: LiveQuery, isFull: (node: GroupNode) => boolean, now: Instant): QueryRejected | undefined {
    const full = query.leaf.lineage.find(isFull);
    if (full === undefined) return undefined;
    this.live.remove(query, now);
    const { path: group, spec } = full;
    return { kind: 'reject', queryId: query.queryId, reason: 'queueFull', group, limit: spec.maxQueued };
  }
}
