import { groupsOf } from './fake-group-file.js';

interface Change {
  /** Limit of user-${USER}. */
  readonly user?: number;
  /** Limit of dashboard-${USER}. */
  readonly dashboard?: number;
  /** Selectors that come before all others. */
  readonly first?: readonly object[];
}

const group = (name: string, maxQueued: number, hardConcurrencyLimit: number, more: object = {}) => ({
  ...{ name, maxQueued, hardConcurrencyLimit, softMemoryLimit: '100%' },
  ...more,
});

/** The groups of Presto's tests with a database of groups (DB-1 in the reference), as a file. */
export function db1Groups({ user = 3, dashboard = 1, first = [] }: Change = {}) {
  const subGroups = [group('adhoc-${USER}', 3, 3), group('dashboard-${USER}', 1, dashboard)];
  return groupsOf({
    rootGroups: [
      group('global', 100, 1_000, {
        subGroups: [group('bi-${USER}', 3, 2), group('user-${USER}', 3, user, { subGroups })],
      }),
      group('explain', 0, 1),
    ],
    selectors: [
      ...first,
      { queryType: 'explain', group: 'explain' },
      { source: '(?i).*test.*', group: 'global.bi-${USER}' },
      { source: '(?i).*adhoc.*', group: 'global.user-${USER}.adhoc-${USER}' },
      { source: '(?i).*dashboard.*', group: 'global.user-${USER}.dashboard-${USER}' },
      { clientTags: ['tag1', 'tag2'], group: 'global.user-${USER}.adhoc-${USER}' },
      { clientTags: ['tag1'], group: 'global.bi-${USER}' },
    ],
  });
}
