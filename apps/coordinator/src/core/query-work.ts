import type { ScanTable } from '@tutti/engine';
import type { PlanNode } from '@tutti/sql';

/** What an admitted query runs. */
export interface QueryWork {
  /** The whole statement, for one worker. */
  readonly fragment: Uint8Array;
  readonly plan: QueryPlan;
  /** Whether the client wants to know how it ran, and not its rows. */
  readonly isAnalyze: boolean;
}

/** How a query can run on several workers, or why it runs whole on one. */
export type QueryPlan =
  ({ readonly kind: 'distributed' } & DistributedPlan) | { readonly kind: 'whole'; readonly reason: string };

export interface DistributedPlan {
  readonly node: PlanNode;
  readonly tables: readonly ScanTable[];
  /** Names of the result's columns. */
  readonly columnNames: readonly string[];
}
