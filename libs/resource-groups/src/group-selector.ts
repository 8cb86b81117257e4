import type { GroupConfig } from './group-config.js';

/** What selectors look at. */
export interface SelectionCriteria {
  readonly user: string;
  /** What program the query comes from. Absent is the same as empty. */
  readonly source?: string | undefined;
}

/** The leaf group of a query, by the first selector that matches whole names; undefined when none does. */
export function selectGroup(config: GroupConfig, { user, source = '' }: SelectionCriteria): string | undefined {
  return config.selectors.find(
    (selector) => (selector.user?.matches(user) ?? true) && (selector.source?.matches(source) ?? true),
  )?.group;
}
