// What a coordinator and its planner process tell each other.
import type { Catalog, Session } from '@tutti/sql';
import type { PlanOutcome } from '../engine.js';
import type { CheckedTable } from './catalog-check.js';

export type ToPlanner =
  | {
      readonly kind: 'open';
      readonly catalogs: readonly Catalog[];
      /** From an earlier `opened`; without them the files are checked first. */
      readonly tables: readonly CheckedTable[] | undefined;
      readonly scratchDirectory: string;
    }
  | { readonly kind: 'plan'; readonly id: number; readonly statement: string; readonly session: Session }
  | { readonly kind: 'cancel'; readonly id: number };

export type FromPlanner =
  | { readonly kind: 'opened'; readonly tables: readonly CheckedTable[] }
  /** A table that could not be read, and now can. */
  | { readonly kind: 'mended'; readonly table: CheckedTable }
  | { readonly kind: 'planned'; readonly id: number; readonly outcome: PlanOutcome };
