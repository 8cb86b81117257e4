import { type Instant, instant } from '@tutti/base';
import type { AdmissionMode } from './group-config.js';
import type { GroupNode } from './group-node.js';
import type { ClaimsElsewhere } from './claims-before.js';
import { LinkedList } from './linked-list.js';
import type { ShardLeases } from './shard-leases.js';
import { UndecidedQueries } from './undecided-queries.js';

/** What belongs to a whole tree of groups. */
export class GroupRoot {
  /** The claims that were made and not used, each by its leaf: by round, in a round in the order in which they were made. */
  readonly claims = new LinkedList<GroupNode>();
  lastClaimAt: Instant = instant(-Infinity);
  lastStartAt: Instant = instant(-Infinity);
  /** The queries of which it is open whether there is room for them to wait. */
  readonly undecided = new UndecidedQueries();
  lastSubmittedAt: Instant = instant(-Infinity);
  /** Claims of other coordinators, by the round of ours that they come before. */
  claimsElsewhere: ClaimsElsewhere[] = [];
  /** Groups that may hold claims in excess, see N2. */
  readonly overclaimed = new Set<GroupNode>();
  /** How often the limit of a group has changed. */
  limitChanges = 0;

  /** The mode by which it is operated: that of its configuration, from the next event on. */
  mode: AdmissionMode | undefined;
  /** In leased mode: what this coordinator may run of it. */
  leases: ShardLeases | undefined;

  constructor(readonly node: GroupNode) {}
}
