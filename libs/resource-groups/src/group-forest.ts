import { invariant } from '@tutti/base';
import type { GroupConfig, GroupSpec } from './group-config.js';
import { GroupNode, RootState } from './group-node.js';

/** All groups of a configuration, by path. */
export class GroupForest {
  private readonly nodes = new Map<string, GroupNode>();
  private readonly states = new Map<GroupNode, RootState>();

  constructor(config: GroupConfig) {
    const add = (spec: GroupSpec, parent: GroupNode | undefined): GroupNode => {
      const node = new GroupNode(spec, parent);
      this.nodes.set(node.path, node);
      for (const child of spec.subGroups) add(child, node);
      return node;
    };
    for (const spec of config.rootGroups) {
      const root = add(spec, undefined);
      this.states.set(root, new RootState(root));
    }
  }

  get roots(): Iterable<RootState> {
    return this.states.values();
  }

  node(path: string): GroupNode | undefined {
    return this.nodes.get(path);
  }

  rootOf(node: GroupNode): RootState {
    const top = node.lineage.at(-1);
    const root = top && this.states.get(top);
    invariant(root, 'every group has a root');
    return root;
  }

  /** The group, or the deepest known one above it: coordinators may be configured differently for a while. */
  nearest(path: string): GroupNode | undefined {
    for (let end = path.length; end > 0; end = path.lastIndexOf('.', end - 1)) {
      const node = this.nodes.get(path.slice(0, end));
      if (node !== undefined) return node;
    }
    return undefined;
  }
}
