import type { Instant } from '@tutti/base';
import type { GroupEffect } from './group-events.js';
import type { GroupForest } from './group-forest.js';
import type { GroupNode } from './group-node.js';
import type { GroupRoot } from './group-root.js';
import type { GroupsInUse } from './groups-in-use.js';
import type { LiveQueries } from './live-queries.js';
import type { LiveQuery } from './live-query.js';
import type { UsageQuestions } from './usage-questions.js';
import type { UsageView } from './usage-view.js';
import type { WaitRules } from './wait-rules.js';

/** What the modes of one group tree share. */
export interface TreeParts {
  readonly forest: GroupForest;
  readonly inUse: GroupsInUse;
  readonly live: LiveQueries;
  readonly waits: WaitRules;
  readonly view: UsageView;
  readonly questions: UsageQuestions;
}

/** How the queries of a tree of groups are started. Each mode starts the first query of a leaf, and decides on G6. */
export interface StartMode {
  /** A tree of groups is in this mode from now on; what runs and waits in it stays. */
  enter(root: GroupRoot, now: Instant): void;
  /** Not any more. */
  leave(root: GroupRoot): void;
  /** A query has come and waits. */
  came(query: LiveQuery, now: Instant, effects: GroupEffect[]): void;
  /** A query of the leaf has ended; `wereFull` are the groups above it that were full before. */
  ended(leaf: GroupNode, now: Instant, effects: GroupEffect[], wereFull: readonly GroupNode[]): void;
  /** A query of the tree waits no more without having started. */
  gaveUp(root: GroupRoot, now: Instant): void;
  /** What limits the groups has changed; `wereFull` as before. */
  limitsChanged(root: GroupRoot, now: Instant, effects: GroupEffect[], wereFull: readonly GroupNode[]): void;
  /** Other usage counts than before. */
  heard(root: GroupRoot, now: Instant, effects: GroupEffect[]): void;
  /** Whether a tick should ask for usage. */
  isUsageDue(root: GroupRoot, now: Instant): boolean;
}
