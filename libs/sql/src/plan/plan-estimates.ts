// How many rows the optimiser expects: EXPLAIN shows the same tree as the plan, node by node.
import { JsonNumber, type LosslessJson, type LosslessObject } from './lossless-json.js';

/** A place in the EXPLAIN tree; undefined where it does not fit the plan. */
export type ExplainNode = LosslessObject | undefined;

const UNKNOWN_ROWS = 1_000;

/** How EXPLAIN names operators where it is not by their types; scans are named by their functions. */
const NAMES: Readonly<Record<string, string>> = {
  LOGICAL_AGGREGATE_AND_GROUP_BY: 'AGGREGATE',
  LOGICAL_CTE_REF: 'CTE_SCAN',
  LOGICAL_MATERIALIZED_CTE: 'CTE',
};

export class Estimates {
  constructor(readonly root: ExplainNode) {}

  /** The place, if EXPLAIN shows there what the plan has; what is below the first difference is guessed. */
  fitting(node: ExplainNode, planType: string): ExplainNode {
    const name = NAMES[planType] ?? planType.replace(/^LOGICAL_/, '');
    return planType === 'LOGICAL_GET' || node?.['name'] === name ? node : undefined;
  }

  /** The children of a place, if there are as many as the plan has. */
  childrenOf(node: ExplainNode, count: number): ExplainNode[] {
    const children = node?.['children'];
    const fits = Array.isArray(children) && children.length === count;
    return Array.from({ length: count }, (_, index) =>
      fits ? ((children as LosslessJson[])[index] as ExplainNode) : undefined,
    );
  }

  /** The rows that EXPLAIN expects of a node; else the most that its children give. */
  rowsOf(node: ExplainNode, childRows: readonly number[]): number {
    const info = node?.['extra_info'];
    const text =
      typeof info === 'object' && info !== null ? (info as LosslessObject)['Estimated Cardinality'] : undefined;
    const rows = typeof text === 'string' ? Number(text) : text instanceof JsonNumber ? text.value : NaN;
    if (Number.isFinite(rows)) return rows;
    return childRows.length === 0 ? UNKNOWN_ROWS : Math.max(...childRows);
  }
}
