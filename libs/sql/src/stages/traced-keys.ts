// Which columns of scans are compared with each other by the joins of a plan, or grouped by. Only a hint: what is right is
// decided where rows are joined, by how they are divided.
import type { PlanExpression, PlanNode } from '../plan/plan.js';
import { childrenOf, type NodeOf } from './plan-nodes.js';

/** A column of a scan. */
export interface KeyColumn {
  readonly scan: NodeOf<'scan'>;
  /** Index into the columns of the scan. */
  readonly column: number;
}

/** Columns that are compared for equality, directly or by way of others. */
export interface TracedKey {
  readonly columns: readonly KeyColumn[];
  /** Whether rows are grouped by one of them. */
  readonly isGrouped: boolean;
}

/** Where the columns of a node come from. */
type Sources = readonly (KeyColumn | undefined)[];

/** The keys of a plan: each column is in one of them at most. */
export function tracedKeys(plan: PlanNode): readonly TracedKey[] {
  const tracer = new Tracer();
  tracer.sources(plan);
  return tracer.keys();
}

class Tracer {
  private readonly sets = new Map<string, { columns: KeyColumn[]; isGrouped: boolean }>();
  private readonly numbers = new Map<PlanNode, number>();
  private readonly ctes = new Map<number, Sources>();
  private readonly delims = new Map<number, Sources>();

  keys(): readonly TracedKey[] {
    return [...new Set(this.sets.values())];
  }

  sources(node: PlanNode): Sources {
    switch (node.op) {
      case 'scan':
        return node.output.map((column) => ({ scan: node, column }));
      case 'filter':
      case 'order': {
        const child = this.sources(node.child);
        return node.output.map((index) => child[index]);
      }
      case 'project': {
        const child = this.sources(node.child);
        return node.expressions.map((expression) => columnOf(expression, child));
      }
      case 'aggregate':
        return this.ofAggregate(node);
      case 'distinct': {
        const child = this.sources(node.child);
        for (const source of node.on?.map((expression) => columnOf(expression, child)) ?? child) this.group(source);
        return child;
      }
      case 'window': {
        const child = this.sources(node.child);
        for (const { partitions } of node.calls)
          for (const expression of partitions) this.group(columnOf(expression, child));
        return child;
      }
      case 'limit':
      case 'topN':
      case 'unnest':
        return this.sources(node.child);
      case 'join':
        return this.ofJoin(node);
      case 'cross':
        return [...this.sources(node.left), ...this.sources(node.right)];
      case 'cte':
        this.ctes.set(node.cteId, this.sources(node.definition));
        return this.sources(node.child);
      case 'cteScan':
        return this.ctes.get(node.cteId) ?? [];
      case 'delimScan':
        return this.delims.get(node.delimId) ?? [];
      default:
        for (const child of childrenOf(node)) this.sources(child);
        return [];
    }
  }

  private ofAggregate({ child, groups, types, sets }: NodeOf<'aggregate'>): Sources {
    const below = this.sources(child);
    const sources = groups.map((group) => columnOf(group, below));
    for (const [index, source] of sources.entries()) if (sets.every((set) => set.includes(index))) this.group(source);
    return types.map((_, index) => sources[index]);
  }

  private ofJoin(node: NodeOf<'join'>): Sources {
    const { delim, conditions, kind, leftOutput, rightOutput } = node;
    const isRightFirst = delim?.isFlipped === true;
    const first = this.sources(isRightFirst ? node.right : node.left);
    if (delim !== undefined)
      this.delims.set(
        delim.delimId,
        delim.eliminated.map((expression) => columnOf(expression, first)),
      );
    const second = this.sources(isRightFirst ? node.left : node.right);
    const [left, right] = isRightFirst ? [second, first] : [first, second];
    for (const { comparison, left: own, right: other } of conditions)
      if (comparison === '=' || comparison === 'IS NOT DISTINCT FROM')
        this.join(columnOf(own, left), columnOf(other, right));
    const lefts = kind.startsWith('right_') ? [] : leftOutput.map((index) => left[index]);
    const rights = ['semi', 'anti', 'mark'].includes(kind) ? [] : rightOutput.map((index) => right[index]);
    return [...lefts, ...rights];
  }

  private join(one: KeyColumn | undefined, other: KeyColumn | undefined): void {
    if (one === undefined || other === undefined) return;
    const [into, from] = [this.setOf(one), this.setOf(other)];
    if (into === from) return;
    into.columns.push(...from.columns);
    into.isGrouped ||= from.isGrouped;
    for (const column of from.columns) this.sets.set(this.nameOf(column), into);
  }

  private group(source: KeyColumn | undefined): void {
    if (source !== undefined) this.setOf(source).isGrouped = true;
  }

  private setOf(column: KeyColumn) {
    const name = this.nameOf(column);
    const set = this.sets.get(name) ?? { columns: [column], isGrouped: false };
    this.sets.set(name, set);
    return set;
  }

  private nameOf({ scan, column }: KeyColumn): string {
    const number = this.numbers.get(scan) ?? this.numbers.size;
    this.numbers.set(scan, number);
    return `${number} ${column}`;
  }
}

const columnOf = (expression: PlanExpression, sources: Sources): KeyColumn | undefined =>
  expression.kind === 'column' ? sources[expression.index] : undefined;
