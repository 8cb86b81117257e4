import type { Instant } from '@tutti/base';
import { leaseFacts } from './leased-wait.js';
import type { LiveQuery } from './live-query.js';
import type { TreeParts } from './start-mode.js';
import type { StartRules } from './start-rules.js';
import type { WaitFacts } from './wait-explanation.js';

/** What an explanation of a wait is made from. */
export function waitFacts(
  query: LiveQuery,
  { view, forest }: TreeParts,
  rules: StartRules,
  unavailableSince: Instant | undefined,
  now: Instant,
): WaitFacts {
  const { leaf } = query;
  const { root } = leaf;
  const dataAgeMs = view.ageMs(now);
  return {
    ...{ query, now, dataAgeMs },
    cluster: forest.size,
    knownRound: dataAgeMs === undefined ? 0 : (view.usage?.knownRound ?? 0),
    refusedAgeMs: view.refusedAgeMs,
    isHeld: rules.isHeld(now),
    unavailableMs: unavailableSince === undefined ? undefined : now - unavailableSince,
    isKnown: (hasClaim) => rules.isKnown(query, hasClaim),
    mode: root.mode ?? root.node.spec.admissionMode,
    lease: root.leases && leaseFacts(root.leases, leaf, now),
  };
}
