import type { GroupConfig, GroupSpec } from '../group-config.js';
import { parentPath } from '../group-path.js';

export interface ReferenceQuery {
  readonly id: string;
  readonly path: string;
  readonly priority: number;
  readonly number: number;
  readonly queuedSince: number;
  /** Its place under `weighted`. */
  virtualKey: number;
  isRunning: boolean;
  /** When it came, while it is open whether it may wait. */
  provisionalSince: number | undefined;
  memoryBytes: number;
}

interface ReferenceGroup {
  spec: GroupSpec;
  isGone: boolean;
  virtualTime: number;
  policy: string;
}

/** The groups that there are, by path. */
export class ReferenceGroups extends Map<string, ReferenceGroup> {
  /** Makes a group, or gives one another spec; `queries` are all that there are. */
  adopt(path: string, spec: GroupSpec, queries: Iterable<ReferenceQuery>): void {
    const parent = this.get(parentPath(path) ?? '');
    const policy = parent?.policy === 'query_priority' ? 'query_priority' : spec.schedulingPolicy;
    const known = this.get(path);
    if (known === undefined) {
      this.set(path, { spec, isGone: false, virtualTime: 0, policy });
      return;
    }
    if (known.policy !== policy) {
      // Q3: under another policy all came in the order in which they really did, at no time yet.
      known.virtualTime = 0;
      for (const query of queries) if (query.path === path) query.virtualKey = 1 / query.priority;
    }
    Object.assign(known, { spec, policy, isGone: false });
  }

  /** Makes the groups without variables that are not there. */
  addStatic({ rootGroups }: GroupConfig, queries: Iterable<ReferenceQuery>): void {
    const add = (spec: GroupSpec): void => {
      if (spec.isDynamic) return;
      const known = this.get(spec.template);
      if (known === undefined || known.isGone) this.adopt(spec.template, spec, queries);
      spec.subGroups.forEach(add);
    };
    rootGroups.forEach(add);
  }
}
