// How many rows the optimiser expects: EXPLAIN shows the same tree as the plan, node by node.
import { JsonNumber, type LosslessJson, type LosslessObject } from './lossless-json.js';

/** A place in the EXPLAIN tree; undefined where it does not fit the plan. */
export type ExplainNode = LosslessObject | undefined;

const UNKNOWN_ROWS = 1_000;

export class Estimates {
  constructor(readonly root: ExplainNode) {}

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
