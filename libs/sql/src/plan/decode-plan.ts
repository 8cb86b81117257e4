// The engine's optimised plan as a PlanNode. Strict: an operator or field that is not listed here makes the plan unsupported.
import { type LosslessJson, type LosslessObject, parseLossless } from './lossless-json.js';
import type { DecodedPlan, PlanNode, PlanType } from './plan.js';
import { Estimates } from './plan-estimates.js';
import { decodeNode } from './decode-node.js';
import { arrayOf, NotUnderstood, objectOf } from './plan-fields.js';

/** A table, as a plan names it by its stub file. */
export interface PlannedTable {
  /** Full name. */
  readonly table: string;
  readonly columns: readonly { readonly name: string }[];
  readonly rows: number;
}

/** What decoding a node needs of its surroundings. */
export interface DecodeContext {
  readonly tableOf: (stubPath: string) => PlannedTable | undefined;
  readonly estimates: Estimates;
  /** The delim joins around the node, the innermost last; one that is being decoded on its eliminated side is not among them. */
  readonly delims: readonly { readonly delimId: number; readonly types: readonly PlanType[] }[];
  /** Output types of the CTEs around the node. */
  readonly ctes: ReadonlyMap<number, readonly PlanType[]>;
  readonly nextDelimId: () => number;
}

/**
 * Decodes what json_serialize_plan returned. `explainJson` is what EXPLAIN (FORMAT json) says of the same statement: expected
 * rows; without it, or where it does not fit, they are guessed from the children's.
 */
export function decodePlan(
  planJson: string,
  explainJson: string | undefined,
  tableOf: DecodeContext['tableOf'],
): DecodedPlan {
  try {
    const root = objectOf(parseLossless(planJson), 'a plan');
    if (root['error'] === true)
      throw new NotUnderstood(String(root['error_message'] ?? 'a plan that cannot be serialized'));
    const plans = arrayOf(root['plans'], 'the plans');
    if (plans.length !== 1) throw new NotUnderstood(`${plans.length} plans`);
    let delims = 0;
    const estimates = new Estimates(explainJson === undefined ? undefined : explainTree(explainJson));
    const nextDelimId = () => ++delims;
    const context: DecodeContext = { tableOf, estimates, delims: [], ctes: new Map(), nextDelimId };
    return { ok: decodeNode(plans[0], context, estimates.root) };
  } catch (error) {
    if (error instanceof NotUnderstood) return { unsupported: error.message };
    if (error instanceof SyntaxError) return { unsupported: `a plan that cannot be read: ${error.message}` };
    throw error;
  }
}

function explainTree(explainJson: string): LosslessObject | undefined {
  const tree = parseLossless(explainJson) as LosslessJson;
  const [root] = Array.isArray(tree) ? (tree as readonly LosslessJson[]) : [tree];
  return root === undefined ? undefined : objectOf(root, 'an EXPLAIN');
}

export type { PlanNode };
