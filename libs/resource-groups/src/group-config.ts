import type { NamePattern } from './name-pattern.js';

/** One group of the configuration file. Counts include everything below the group. */
export interface GroupSpec {
  readonly name: string;
  /** How many queries of the group may run at once in the whole cluster. */
  readonly hardConcurrencyLimit: number;
  /** How many queries of the group may wait, besides those that are about to start. */
  readonly maxQueued: number;
  /** In the order of the file. Queries go to groups without subgroups only. */
  readonly subGroups: readonly GroupSpec[];
}

/** Sends the queries whose user and source match to a leaf group. What is left out matches everything. */
export interface Selector {
  readonly user?: NamePattern;
  readonly source?: NamePattern;
  /** The path of a leaf group. */
  readonly group: string;
}

/** Who may run how much. The file is Presto's: https://prestodb.io/docs/current/admin/resource-groups.html */
export interface GroupConfig {
  readonly rootGroups: readonly GroupSpec[];
  /** The first that matches decides. */
  readonly selectors: readonly Selector[];
}

/** What holds when no file is given: one group for everybody. */
export const defaultGroupConfig: GroupConfig = {
  rootGroups: [{ name: 'global', hardConcurrencyLimit: 100, maxQueued: 1000, subGroups: [] }],
  selectors: [{ group: 'global' }],
};
