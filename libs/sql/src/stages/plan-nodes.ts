import { unreachable } from '@tutti/base';
import type { PlanNode } from '../plan/plan.js';

/** The nodes whose rows a node takes, in order. */
export function childrenOf(node: PlanNode): readonly PlanNode[] {
  switch (node.op) {
    case 'scan':
    case 'values':
    case 'empty':
    case 'delimScan':
    case 'cteScan':
      return [];
    case 'join':
    case 'cross':
      return [node.left, node.right];
    case 'setOperation':
      return node.inputs;
    case 'cte':
      return [node.definition, node.child];
    case 'filter':
    case 'project':
    case 'unnest':
    case 'aggregate':
    case 'distinct':
    case 'order':
    case 'topN':
    case 'limit':
    case 'window':
      return [node.child];
    default:
      return unreachable(node);
  }
}

/** A node and all nodes below it, each before its children. */
export const nodesOf = (node: PlanNode): PlanNode[] => [node, ...childrenOf(node).flatMap(nodesOf)];

/** A node of a kind. */
export type NodeOf<Op extends PlanNode['op']> = Extract<PlanNode, { readonly op: Op }>;
