import type { Instant } from '@tutti/base';
import type { ClaimRounds } from './claim-rounds.js';
import type { GroupConfig } from './group-config.js';
import type { GroupEffect } from './group-events.js';
import type { TreeParts } from './start-mode.js';

/** Puts the groups under another configuration (G8). Queries of groups that are gone, or no leaf any more, select anew. */
export function reload(
  config: GroupConfig,
  { forest, live }: TreeParts,
  rounds: ClaimRounds,
  now: Instant,
  effects: GroupEffect[],
): void {
  const specs = forest.specsUnder(config);
  for (const [{ queue }, spec] of specs) {
    if (queue === undefined || spec?.subGroups.length === 0) continue;
    for (const query of [...queue.inOrder()]) {
      live.remove(query, now);
      effects.push({ kind: 'reselect', queryId: query.queryId, queuedSince: query.queuedSince });
    }
  }
  const policies = Array.from(forest.all, (node) => ({ node, policy: node.policy }));
  forest.configure(config, specs);
  for (const { node, policy } of policies) {
    if (node.policy === policy) continue;
    rounds.withdrawAll(node.root);
    node.root.leases?.reordered(node);
  }
}
