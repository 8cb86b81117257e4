// What an owner tells coordinators of the wait of their queries: from the book, to explain it to people.
//   Q1. A hint never costs a message of its own, nor more than HINTS_MAX places in one. Those that were told longest ago
//       go first.
import type { Instant } from '@tutti/base';
import type { Holding, Waiter } from './holding.js';
import { HINTS_MAX, type LeafHint } from './lease-messages.js';
import type { Life } from './life.js';

/** A hint is not older than this when a grant leaves. */
const HINT_AGE_MS = 500;

/** Hints for where queries of a coordinator wait without a slot. */
export function newHints(life: Life, now: Instant): LeafHint[] {
  const due: Holding[] = [];
  for (const holding of life.unmet) {
    if (now - holding.hintedAt < HINT_AGE_MS || due.length === HINTS_MAX) break;
    due.push(holding);
  }
  return due.map((holding) => {
    holding.hintedAt = now;
    life.unmet.delete(holding);
    life.unmet.add(holding);
    return hintOf(holding);
  });
}

function hintOf(holding: Holding): LeafHint {
  const { leaf } = holding;
  const full = leaf.lineage.find(({ room }) => room <= 0);
  const { limit, booked } = full ?? leaf;
  const byAge = leaf.policy === 'fair' && (full === undefined || full === leaf);
  let [aheadElsewhere, isApproximate] = [0, !byAge];
  for (const other of leaf.holdings) {
    if (other === holding || other.share.unmet === 0) continue;
    const ahead = aheadOf(holding, other);
    aheadElsewhere += ahead.count;
    isApproximate ||= !ahead.isExact;
  }
  return { group: leaf.path, blockingGroup: full?.path ?? '', limit, held: booked, aheadElsewhere, isApproximate };
}

/** How many that wait elsewhere go before the first one here. */
function aheadOf(here: Holding, elsewhere: Holding): { readonly count: number; readonly isExact: boolean } {
  const { head } = here;
  const { unmet } = elsewhere;
  if (head === undefined) return { count: 0, isExact: false };
  const known = elsewhere.oldest.slice(Math.max(0, elsewhere.held - elsewhere.running)).slice(0, unmet);
  const byPriority = here.leaf.policy !== 'fair';
  const count = known.filter((other) => goesBefore(other, head, byPriority)).length;
  const areAllBefore = count === known.length;
  return { count: areAllBefore ? unmet : count, isExact: !areAllBefore || known.length === unmet };
}

const goesBefore = (a: Waiter, b: Waiter, byPriority: boolean): boolean =>
  byPriority && a.priority !== b.priority ? a.priority > b.priority : a.since < b.since;
