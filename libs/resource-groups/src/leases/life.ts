import { type Instant, instant } from '@tutti/base';
import type { CoordinatorLife } from '../usage-ledger.js';
import type { OwnerFence } from './fence-book.js';
import type { Holding } from './holding.js';
import type { GrantKind } from './lease-messages.js';

/**
 * unheard: a former owner dealt to it. leased: it was answered, and its lease may hold. void: its lease was over, and there
 * was no room for all that it runs. fenced: it is silent or replaced, workers refuse its tasks.
 */
export type Standing = 'unheard' | 'leased' | 'void' | 'fenced';

/** One life of a coordinator in the owner's book. */
export class Life {
  standing: Standing = 'unheard';
  /** The last demand that was read. */
  seq = 0;
  /** Whether it has told this owner everything, once at least. */
  hasTold = false;
  /** Whether all that it said since is known: otherwise it must tell everything. */
  isKnown = false;
  /** Whether it is in the membership: others get nothing new. */
  isMember = false;
  /** From then on its lease counts as over. */
  expiresAt: Instant;
  fence: OwnerFence | undefined;
  /** Its fence is kept everywhere, so what workers report of it is all there is. */
  isShownByWorkers = false;
  /** The first of what was pushed to it since its last demand: it says soon that it has used that, when it can. */
  pushedAt: Instant | undefined;
  /** It has not said so for longer than that takes: it may stand still. */
  isSilent = false;
  grantNumber = 0;
  /** When a grant last left, and when all its wants and all wishes were last looked at. */
  grantedAt: Instant = instant(-Infinity);
  servedAt: Instant = instant(-Infinity);
  aimedAt: Instant = instant(-Infinity);
  /** Its lease begins anew: no answer before a second seat keeps all that it said it runs. */
  mustCopyAll = false;
  /** Whether it has no CPU budgets but those that this owner gave, and was told of all of these with the answer to `seq`. */
  areBudgetsKnown = false;
  areBudgetsTold = false;
  /** Holdings that said how much CPU they have used, since its last answer. */
  readonly cpuTold = new Set<Holding>();
  /** The answer that it waits for. */
  owed: { readonly kind: GrantKind; readonly since: Instant } | undefined;
  readonly holdings = new Map<string, Holding>();
  /** Holdings that were dealt more than it said. */
  readonly raised = new Set<Holding>();
  /** Those with a wish that it was told, or is about to be. */
  readonly wished = new Set<Holding>();
  /** Those where queries wait without a slot; first those that were told longest ago what for. */
  readonly unmet = new Set<Holding>();
  /** Those that could use more. */
  readonly wanting = new Set<Holding>();

  constructor(
    readonly id: CoordinatorLife,
    expiresAt: Instant,
  ) {
    this.expiresAt = expiresAt;
  }

  get key(): string {
    return lifeKey(this.id);
  }
}

export const lifeKey = ({ coordinatorId, incarnation }: CoordinatorLife): string => `${coordinatorId}\n${incarnation}`;

export const isSameLife = (a: CoordinatorLife, b: CoordinatorLife): boolean =>
  a.coordinatorId === b.coordinatorId && a.incarnation === b.incarnation;
