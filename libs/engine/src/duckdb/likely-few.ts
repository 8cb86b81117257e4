// Whether a statement is likely to have few rows, by its syntax alone.

/** As many as one chunk of a result has. */
export const FEW_ROWS = 2_048;

/** What is read of the engine's syntax trees. */
interface Tree {
  readonly class?: string;
  readonly type?: string;
  readonly left?: Tree;
  readonly right?: Tree;
  readonly child?: Tree;
  readonly children?: readonly Tree[];
  readonly value?: { readonly value?: unknown };
}

interface SelectNode extends Tree {
  readonly modifiers?: readonly { readonly type?: string; readonly limit?: Tree }[];
  readonly cte_map?: unknown;
  readonly from_table?: Tree & { readonly sample?: unknown };
  readonly select_list?: readonly Tree[];
  readonly where_clause?: Tree;
  readonly group_expressions?: unknown;
  readonly qualify?: unknown;
}

/**
 * True when a statement says itself that it has no more than `max` rows, and when it looks up one value in one table. Of the second
 * kind it may be wrong; such a statement makes its rows as it reads, so that little was done when there turn out to be more.
 */
export function isLikelyFew(statement: unknown, max: number): boolean {
  const { node } = statement as { readonly node?: SelectNode };
  if (node?.type !== 'SELECT_NODE') return false;
  return isLimited(node, max) || isLookUp(node);
}

function isLimited({ modifiers = [] }: SelectNode, max: number): boolean {
  const limit = modifiers.find(({ type }) => type === 'LIMIT_MODIFIER')?.limit;
  const rows = limit?.type === 'VALUE_CONSTANT' ? limit.value?.value : undefined;
  return typeof rows === 'number' && rows <= max;
}

function isLookUp(node: SelectNode): boolean {
  const { modifiers, cte_map, from_table, select_list = [], where_clause, group_expressions, qualify } = node;
  const others = [modifiers, cte_map, group_expressions, qualify, from_table?.sample];
  if (from_table?.type !== 'BASE_TABLE' || others.some((part) => part !== undefined)) return false;
  return where_clause !== undefined && isEquality(where_clause) && ![where_clause, ...select_list].some(isCostly);
}

/** One of the conditions that must all hold. */
function isEquality({ type, left, right, children = [] }: Tree): boolean {
  if (type === 'CONJUNCTION_AND') return children.some(isEquality);
  if (type !== 'COMPARE_EQUAL' || left === undefined || right === undefined) return false;
  return [left, right].some(isColumn) && [left, right].some(isValue);
}

const isColumn = ({ type }: Tree): boolean => type === 'COLUMN_REF';

const isValue = ({ type, child }: Tree): boolean =>
  type === 'VALUE_CONSTANT' || (type === 'OPERATOR_CAST' && child !== undefined && isValue(child));

/** What is done before there is a first row would be done twice. */
const isCostly = (tree: Tree): boolean => /"class":"(WINDOW|SUBQUERY)"/.test(JSON.stringify(tree));
