// All groups: those of the configuration without variables, and those that queries made of the others.
//   F1. A group that came from names with variables is there while it is in use (see groups-in-use.ts), or one below it.
//   F2. Of one template there are at most its maxGroups.
//   F3. When two templates make the same path, the one that made it first keeps it; the other one gets no query there,
//       so that the limits of a group never depend on who came first.
//   F4. A group that the configuration does not know any more stays until nothing runs in it.
import { invariant } from '@tutti/base';
import type { ClusterSize } from './effective-limit.js';
import type { GroupConfig, GroupSpec, GroupTarget } from './group-config.js';
import type { AmbiguousTemplates } from './group-events.js';
import { GroupNode } from './group-node.js';
import { childPath, lineageOf } from './group-path.js';
import type { GroupRoot } from './group-root.js';

/** Where a query goes, or why it cannot go there. */
export type ReachedGroup =
  | { readonly kind: 'leaf'; readonly leaf: GroupNode }
  | {
      readonly kind: 'refused';
      readonly reason: 'tooManyGroups' | 'ambiguousGroup';
      readonly group: string;
      readonly limit: number;
      readonly templates?: AmbiguousTemplates;
    };

export class GroupForest {
  private readonly nodes = new Map<string, GroupNode>();
  private readonly rootNodes = new Map<string, GroupNode>();
  private readonly countByTemplate = new Map<string, number>();
  private readonly cluster: ClusterSize = { activeWorkers: 0, memoryBytes: 0 };
  private refreshPasses = 0;

  constructor(config: GroupConfig) {
    this.addStatic(config.rootGroups, undefined);
  }

  get all(): Iterable<GroupNode> {
    return this.nodes.values();
  }

  get roots(): GroupRoot[] {
    return Array.from(this.rootNodes.values(), ({ root }) => root);
  }

  node(path: string): GroupNode | undefined {
    return this.nodes.get(path);
  }

  /** The group, or the deepest known one above it: other coordinators have groups that are unknown here. */
  nearest(path: string): GroupNode | undefined {
    const node = this.nodes.get(path);
    if (node !== undefined) return node;
    for (const above of lineageOf(path)) {
      const known = this.nodes.get(above);
      if (known !== undefined) return known;
    }
    return undefined;
  }

  /** The leaf that a query goes to, made if need be. */
  reach({ path, names, specs }: GroupTarget): ReachedGroup {
    const leaf = this.nodes.get(path);
    if (leaf?.queue !== undefined && !leaf.isGone && leaf.spec.template === specs.at(-1)?.template)
      return { kind: 'leaf', leaf };
    const refusal = this.refuse(names, specs);
    if (refusal !== undefined) return refusal;
    let node: GroupNode | undefined;
    specs.forEach((spec, depth) => {
      const name = names[depth];
      invariant(name !== undefined, 'a target has a name for each spec');
      node = this.nodes.get(childPath(node?.path, name)) ?? this.add(name, spec, node);
      if (node.isGone) this.adopt(node, spec);
    });
    invariant(node?.queue !== undefined, 'a target ends at a leaf');
    return { kind: 'leaf', leaf: node };
  }

  /** The active workers changed. */
  resize({ activeWorkers, memoryBytes }: ClusterSize): void {
    Object.assign(this.cluster, { activeWorkers, memoryBytes });
    this.refresh(this.nodes.values());
  }

  get size(): Readonly<ClusterSize> {
    return this.cluster;
  }

  /** Takes out a group that nothing uses, and what is left empty above it (F1, F4). */
  collect(group: GroupNode): void {
    for (const node of group.lineage) {
      const isSpare = node.spec.isDynamic || node.isGone;
      if (!isSpare || node.children.size > 0 || node.isInUse || this.nodes.get(node.path) !== node) return;
      this.nodes.delete(node.path);
      if (node.parent === undefined) this.rootNodes.delete(node.path);
      else node.parent.children.delete(node);
      this.countTemplate(node.spec, -1);
    }
  }

  /** What each group will be under another configuration; undefined for those that it does not know. */
  specsUnder(config: GroupConfig): Map<GroupNode, GroupSpec | undefined> {
    const byTemplate = new Map<string, GroupSpec>();
    const add = (spec: GroupSpec): void => {
      byTemplate.set(spec.template, spec);
      spec.subGroups.forEach(add);
    };
    config.rootGroups.forEach(add);
    return new Map(Array.from(this.nodes.values(), (node) => [node, byTemplate.get(node.spec.template)]));
  }

  /** Goes on under another configuration. Nothing may be queued where `specs` has no leaf. */
  configure({ rootGroups }: GroupConfig, specs: ReadonlyMap<GroupNode, GroupSpec | undefined>): void {
    for (const [node, spec] of specs) {
      if (spec === undefined) node.isGone = true;
      else node.configure(spec);
    }
    this.addStatic(rootGroups, undefined);
    for (const [node, spec] of [...specs].reverse()) if (spec === undefined) this.collect(node);
    this.refresh(this.nodes.values());
  }

  /** Works out anew what follows from the counts of these groups, and so of all above them. */
  refresh(changed: Iterable<GroupNode>): void {
    const pass = ++this.refreshPasses;
    const byDepth: GroupNode[][] = [];
    for (const { lineage } of changed)
      for (const node of lineage) {
        if (node.refreshedIn === pass) break; // And so all above it.
        node.refreshedIn = pass;
        (byDepth[node.depth] ??= []).push(node);
      }
    for (const level of byDepth.reverse()) for (const node of level) node.refresh();
  }

  private addStatic(specs: readonly GroupSpec[], parent: GroupNode | undefined): void {
    for (const spec of specs) {
      if (spec.isDynamic) continue;
      const node = this.nodes.get(childPath(parent?.path, spec.name)) ?? this.add(spec.name, spec, parent);
      if (node.isGone) this.adopt(node, spec);
      if (node.spec === spec) this.addStatic(spec.subGroups, node); // F3
    }
  }

  private add(name: string, spec: GroupSpec, parent: GroupNode | undefined): GroupNode {
    const node = new GroupNode(name, spec, parent, this.cluster);
    this.nodes.set(node.path, node);
    if (parent === undefined) this.rootNodes.set(node.path, node);
    else parent.children.add(node);
    this.countTemplate(spec, 1);
    return node;
  }

  /** A group that was gone is there again, perhaps by another template. */
  private adopt(node: GroupNode, spec: GroupSpec): void {
    this.countTemplate(node.spec, -1);
    this.countTemplate(spec, 1);
    node.configure(spec);
    this.refresh([node]);
  }

  private refuse(names: readonly string[], specs: readonly GroupSpec[]): ReachedGroup | undefined {
    let path: string | undefined;
    for (const [depth, spec] of specs.entries()) {
      path = childPath(path, names[depth] ?? '');
      const { template, maxGroups } = spec;
      const node = this.nodes.get(path);
      if (node !== undefined && !node.isGone) {
        if (node.spec.template === template) continue;
        const templates = { existing: node.spec.template, wanted: template };
        return { kind: 'refused', reason: 'ambiguousGroup', group: path, limit: 0, templates }; // F3
      }
      if (spec.isDynamic && (this.countByTemplate.get(template) ?? 0) >= maxGroups)
        return { kind: 'refused', reason: 'tooManyGroups', group: template, limit: maxGroups }; // F2
    }
    return undefined;
  }

  private countTemplate({ template, isDynamic }: GroupSpec, by: number): void {
    if (!isDynamic) return;
    const count = (this.countByTemplate.get(template) ?? 0) + by;
    if (count > 0) this.countByTemplate.set(template, count);
    else this.countByTemplate.delete(template);
  }
}
