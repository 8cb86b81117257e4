// What a query is told that its resource group does not take. Pure.
import { formatDuration, unreachable } from '@tutti/base';
import type { GroupEffect, Selection } from '@tutti/resource-groups';
import { failure, type QueryFailure, type QuerySession } from './query.js';

type Rejection = Extract<GroupEffect, { kind: 'reject' }>;

/** Why the group machine turned a query away. */
export function rejectionFailure({
  reason,
  group,
  limit,
  templates,
}: Omit<Rejection, 'kind' | 'queryId'>): QueryFailure {
  switch (reason) {
    case 'queueFull':
      return failure('QUERY_QUEUE_FULL', `Too many queued queries for "${group}"${queueHelp(limit)}`, true);
    case 'queueTimeout': {
      const message =
        `The query waited in "${group}" for ${formatDuration(limit)}, which is its queueTimeout, and could not start. ` +
        'Send the statement again when less is going on there, or raise queueTimeout.';
      return failure('EXCEEDED_QUEUED_TIME_LIMIT', message, true);
    }
    case 'tooManyGroups': {
      const message =
        `This coordinator keeps ${limit} ${limit === 1 ? 'group' : 'groups'} of the template "${group}" already, ` +
        'which is its maxGroups. Send the statement again when queries of other groups have ended, or raise maxGroups.';
      return failure('TOO_MANY_RESOURCE_GROUPS', message, true);
    }
    case 'ambiguousGroup': {
      const message =
        `The resource group of the query cannot be made: "${group}" is there already, ${madeBy(templates)}. ` +
        'Give the groups names that never become the same.';
      return failure('INVALID_RESOURCE_GROUP', message);
    }
    default:
      return unreachable(reason);
  }
}

const madeBy = (templates: Rejection['templates']): string =>
  templates === undefined
    ? 'by another name of the file'
    : `made by "${templates.existing}" of the file, and this query would make it by "${templates.wanted}"`;

const queueHelp = (maxQueued: number): string =>
  maxQueued === 0
    ? ': its maxQueued is 0, so nothing may wait there. Send the statement again when a query has ended.'
    : `: its maxQueued of ${maxQueued} is reached. Send the statement again when fewer wait.`;

/** Why no group was found for a query. */
export function selectionFailure(
  selection: Exclude<Selection, { kind: 'selected' }>,
  { user, source }: QuerySession,
): QueryFailure {
  if (selection.kind === 'none') {
    const message =
      `Query did not match any selection rule: no selector of the resource groups takes user "${user}" with source "${source}". ` +
      'End the selectors with one that takes everybody; "tutti groups which" says why each one does not match.';
    return failure('MISSING_RESOURCE_GROUP_SELECTOR', message);
  }
  const message =
    `The resource group of the query cannot be made: ${selection.message} (selector ${selection.selector + 1}). ` +
    'Change that selector, or let the client send what its variables need.';
  return failure('INVALID_RESOURCE_GROUP', message);
}

/** The same for a query that waited in a group which new resource groups have taken away. */
export const afterReload = (group: string, why: QueryFailure): QueryFailure => ({
  ...why,
  message: `The resource groups have changed, and "${group}" takes no queries any more. ${why.message}`,
});
