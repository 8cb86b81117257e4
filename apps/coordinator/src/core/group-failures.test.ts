import { aSession } from '../testing/sample-query.js';
import { afterReload, rejectionFailure, selectionFailure } from './group-failures.js';

test.each([
  [
    { reason: 'queueFull', group: 'global', limit: 100 },
    'QUERY_QUEUE_FULL',
    'Too many queued queries for "global": its maxQueued of 100 is reached. Send the statement again when fewer wait.',
  ],
  [
    { reason: 'queueFull', group: 'global', limit: 0 },
    'QUERY_QUEUE_FULL',
    'Too many queued queries for "global": its maxQueued is 0, so nothing may wait there. ' +
      'Send the statement again when a query has ended.',
  ],
  [
    { reason: 'queueTimeout', group: 'global.adhoc', limit: 30_000 },
    'EXCEEDED_QUEUED_TIME_LIMIT',
    'The query waited in "global.adhoc" for 30.00s, which is its queueTimeout, and could not start. ' +
      'Send the statement again when less is going on there, or raise queueTimeout.',
  ],
  [
    { reason: 'tooManyGroups', group: 'global.${USER}', limit: 1_000 },
    'TOO_MANY_RESOURCE_GROUPS',
    'This coordinator keeps 1000 groups of the template "global.${USER}" already, which is its maxGroups. ' +
      'Send the statement again when queries of other groups have ended, or raise maxGroups.',
  ],
] as const)('%j is %s, and worth another try later', (rejection, reason, message) => {
  expect(rejectionFailure(rejection)).toMatchObject({ reason, message, retriable: true });
});

test('a path that two names become is a fault of the file', () => {
  const templates = { existing: 'global.${USER}', wanted: 'global.a${team}' };
  const why = rejectionFailure({ reason: 'ambiguousGroup', group: 'global.ada', limit: 0, templates });
  expect(why).toMatchObject({ reason: 'INVALID_RESOURCE_GROUP', retriable: false });
  expect(why.message).toBe(
    'The resource group of the query cannot be made: "global.ada" is there already, made by "global.${USER}" of the file, ' +
      'and this query would make it by "global.a${team}". Give the groups names that never become the same.',
  );
});

test('a query without a group is told who was looked for, and how to find out more', () => {
  const why = selectionFailure({ kind: 'none' }, { ...aSession, source: 'cli' });
  expect(why).toMatchObject({ reason: 'MISSING_RESOURCE_GROUP_SELECTOR', retriable: false });
  expect(why.message).toBe(
    'Query did not match any selection rule: no selector of the resource groups takes user "ada" with source "cli". ' +
      'End the selectors with one that takes everybody; "tutti groups which" says why each one does not match.',
  );
});

test('a query whose group cannot be made is told by which selector, and whether the file has changed meanwhile', () => {
  const selection = { kind: 'invalid', selector: 1, message: "unresolved variable 'x'" } as const;
  const why = selectionFailure(selection, aSession);
  expect(why.reason).toBe('INVALID_RESOURCE_GROUP');
  expect(why.message).toBe(
    "The resource group of the query cannot be made: unresolved variable 'x' (selector 2). " +
      'Change that selector, or let the client send what its variables need.',
  );
  expect(afterReload('global.old', why).message).toBe(
    `The resource groups have changed, and "global.old" takes no queries any more. ${why.message}`,
  );
});
