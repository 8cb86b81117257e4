// What the group of a query is chosen by, and what it makes of the query.
import type { GroupConfig, GroupSpec, GroupTarget, SelectionCriteria } from '@tutti/resource-groups';
import type { QuerySession } from './core/query.js';
import { boundsIn } from './core/query-limits.js';
import type { LiveQuery } from './live-query.js';

/** What selectors look at. */
export const criteriaOf = (session: QuerySession): SelectionCriteria => ({
  user: session.user,
  source: session.source,
  principal: session.principal,
  clientInfo: session.clientInfo,
  clientTags: session.clientTags,
  queryType: 'SELECT', // What needs a worker is a SELECT; other statements go to no group.
  ...(session.schemaIsGiven && { schema: session.schema }),
  estimates: session.estimates,
});

/** Keeps a query within what its group allows by this configuration. */
export function boundByGroup(query: LiveQuery, { path, specs }: GroupTarget, config: GroupConfig): void {
  const spec = specNow(config, specs) ?? specs.at(-1);
  if (spec !== undefined) query.boundBy((asked) => boundsIn(path, spec, asked));
}

/** The group as it is configured now; undefined when it is gone. */
function specNow(config: GroupConfig, specs: readonly GroupSpec[]): GroupSpec | undefined {
  let found: GroupSpec | undefined;
  let level = config.rootGroups;
  for (const { name } of specs) {
    found = level.find((spec) => spec.name === name);
    level = found?.subGroups ?? [];
  }
  return found;
}

/** Whether the queries of a group take turns by priority. */
export const goesByPriority = (specs: readonly GroupSpec[]): boolean =>
  specs.at(-1)?.schedulingPolicy === 'weighted_fair' ||
  specs.some(({ schedulingPolicy }) => schedulingPolicy === 'query_priority');
