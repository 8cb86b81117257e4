// The groups that one owner deals: those of the configuration that somebody holds or wants something in.
//   R1. A group is there while somebody has a holding in it or below it.
//   R2. Its spec is that of the template by which it was first asked for; a group of which no template is known, or whose
//       template the configuration does not have any more, has the limit 0.
import { type Instant, instant } from '@tutti/base';
import type { ClusterSize, ResourceUse } from '../effective-limit.js';
import type { GroupSpec } from '../group-config.js';
import { lineageOf } from '../group-path.js';
import { DealNode } from './deal-node.js';

/** What the queries of a group hold and have used in the whole cluster. */
export interface GroupLevel extends ResourceUse {
  readonly group: string;
}

interface Template {
  readonly spec: GroupSpec;
  readonly parent: string | undefined;
}

export class DealTree {
  private readonly nodes = new Map<string, DealNode>();
  private readonly templateOf = new Map<DealNode, string>();
  private templates = new Map<string, Template>();
  private levels: ReadonlyMap<string, ResourceUse> = new Map();
  /** The last time that it heard of. */
  private now = instant(0);
  private readonly cluster: ClusterSize = { activeWorkers: 0, memoryBytes: 0 };

  get all(): Iterable<DealNode> {
    return this.nodes.values();
  }

  get roots(): DealNode[] {
    return [...this.nodes.values()].filter(({ parent }) => parent === undefined);
  }

  node(path: string): DealNode | undefined {
    return this.nodes.get(path);
  }

  /** The group with this path, made if need be. Without a template it is one of the configuration, or unknown. */
  reach(path: string, template = path): DealNode {
    const existing = this.nodes.get(path);
    if (existing?.known !== undefined) return existing;
    let at: DealNode | undefined;
    let names: (string | undefined)[] = this.templateLine(template);
    const paths = [...lineageOf(path)].reverse();
    if (names.length !== paths.length) names = [];
    paths.forEach((here, depth) => {
      const node: DealNode = this.nodes.get(here) ?? new DealNode(here, at, this.cluster);
      this.nodes.set(here, node);
      if (node.known === undefined) this.describe(node, names[depth] ?? here);
      at = node;
    });
    for (const node of at?.lineage ?? []) node.refresh();
    return at as DealNode;
  }

  /** Takes out a group without holdings, and what is left empty above it (R1). */
  collect(group: DealNode): void {
    for (const node of group.lineage) {
      if (node.holdings.size + node.children.size > 0) return;
      this.nodes.delete(node.path);
      this.templateOf.delete(node);
      node.parent?.children.delete(node);
    }
  }

  /** Goes on under another configuration; returns the groups whose limit or kind has changed. */
  configure(rootGroups: readonly GroupSpec[]): DealNode[] {
    this.templates = new Map();
    const add = (spec: GroupSpec, parent: string | undefined): void => {
      this.templates.set(spec.template, { spec, parent });
      for (const sub of spec.subGroups) add(sub, spec.template);
    };
    for (const root of rootGroups) add(root, undefined);
    return this.change((node) => {
      const [limit, isLeaf] = [node.limit, node.isLeaf];
      this.describe(node, this.templateOf.get(node) ?? node.path);
      return node.limit !== limit || node.isLeaf !== isLeaf;
    });
  }

  /** Takes in what all queries hold and have used; returns the groups whose limit has changed. */
  measure(cluster: ClusterSize, levels: readonly GroupLevel[], now: Instant): DealNode[] {
    this.now = now;
    Object.assign(this.cluster, cluster);
    this.levels = new Map(levels.map((level) => [level.group, level]));
    return this.change((node) => {
      node.use = this.useOf(node);
      return node.limitAnew(now);
    });
  }

  /** Charges what queries of a leaf have used; returns the groups whose limit has changed. */
  charge(leaf: DealNode, cpuMs: number, now: Instant): DealNode[] {
    const withQuota = leaf.lineage.filter(({ spec }) => spec.cpuQuotaMsPerSecond > 0);
    for (const { cpu, spec } of withQuota) cpu.charge(cpuMs, spec.cpuQuotaMsPerSecond, now); // V1
    return this.limitsAnew(withQuota, now);
  }

  /** Works out anew what follows from the quotas; returns the groups whose limit has changed. */
  refill(now: Instant): DealNode[] {
    this.now = now;
    const withQuota = [...this.nodes.values()].filter(({ spec }) => spec.cpuQuotaMsPerSecond > 0);
    return this.limitsAnew(withQuota, now);
  }

  private limitsAnew(nodes: readonly DealNode[], now: Instant): DealNode[] {
    const changed = nodes.filter((node) => node.limitAnew(now));
    for (const { lineage } of changed) for (const node of lineage) node.refresh();
    return changed;
  }

  private change(change: (node: DealNode) => boolean): DealNode[] {
    const parentsFirst = [...this.nodes.values()].sort((a, b) => a.lineage.length - b.lineage.length);
    const changed = parentsFirst.filter(change);
    for (const node of parentsFirst.reverse()) node.refresh();
    return changed;
  }

  private describe(node: DealNode, template: string): void {
    const spec = this.templates.get(template)?.spec;
    if (spec !== undefined) this.templateOf.set(node, template);
    node.use = this.useOf(node);
    node.configure(spec, this.now);
  }

  private useOf({ path }: DealNode): ResourceUse {
    return this.levels.get(path) ?? { memoryBytes: 0, cpuUsedMs: 0 };
  }

  /** The templates from the root to this one. */
  private templateLine(template: string): string[] {
    const line: string[] = [];
    for (let at: string | undefined = template; at !== undefined; at = this.templates.get(at)?.parent) line.unshift(at);
    return line;
  }
}
