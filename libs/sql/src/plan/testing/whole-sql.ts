// A plan written back as one statement, operator by operator, with nothing clever: to compare it with the statement that it
// was made of. Each operator is a subselect with the columns c0, c1, ...
import { expressionSql } from '../expression-sql.js';
import type { AggregateCall, PlanExpression, PlanNode, SortKey } from '../plan.js';

type Join = Extract<PlanNode, { op: 'join' }>;
type Delims = ReadonlyMap<number, string>;

const own = (expression: PlanExpression): string => expressionSql(expression, (index) => `t.c${index}`);
const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const columns = (indexes: readonly number[], of = 't'): string[] => indexes.map((index) => `${of}.c${index}`);

/** A SELECT has at least one column; rows without any get one that nobody names. */
const items = (list: readonly string[]): string =>
  list.length === 0 ? '1 AS none' : list.map((sql, index) => `${sql} AS c${index}`).join(', ');
const select = (list: readonly string[], from: string, rest = ''): string =>
  `SELECT ${items(list)} FROM (${from}) AS t${rest}`;

const sortKey = ({ expression, descending, nullsFirst }: SortKey): string =>
  `${own(expression)} ${descending ? 'DESC' : 'ASC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`;
const orderBy = (keys: readonly SortKey[]): string =>
  keys.length === 0 ? '' : ` ORDER BY ${keys.map(sortKey).join(', ')}`;
const where = (conditions: readonly PlanExpression[]): string =>
  conditions.length === 0 ? '' : ` WHERE ${conditions.map(own).join(' AND ')}`;

/** The statement of a plan. */
export function wholeSql(node: PlanNode, delims: Delims = new Map()): string {
  const below = (child: PlanNode): string => wholeSql(child, delims);
  const all = (child: PlanNode): string[] => columns(range(child.types.length));
  switch (node.op) {
    case 'scan': {
      const read = node.columns.map(({ name }) => `"${name.replaceAll('"', '""')}"`);
      return select(columns(node.output), `SELECT ${items(read)} FROM ${node.table}`, where(node.filters));
    }
    case 'values':
      return node.rows.map((row) => `SELECT ${items(row.map(own))}`).join(' UNION ALL ');
    case 'empty':
      return `SELECT ${items(node.types.map((type) => `CAST(NULL AS ${type.sql})`))} LIMIT 0`;
    case 'filter':
      return select(columns(node.output), below(node.child), where(node.predicates));
    case 'project':
      return select(node.expressions.map(own), below(node.child));
    case 'unnest':
      return select([...all(node.child), ...node.expressions.map((list) => `unnest(${own(list)})`)], below(node.child));
    case 'aggregate':
      return aggregate(node, below(node.child));
    case 'distinct': {
      const on = node.on === undefined ? '' : ` ON (${node.on.map(own).join(', ')})`;
      return `SELECT DISTINCT${on} ${items(all(node.child))} FROM (${below(node.child)}) AS t${orderBy(node.orders)}`;
    }
    case 'join':
      return join(node, delims);
    case 'cross':
      return `SELECT ${items([...columns(range(node.left.types.length), 'l'), ...columns(range(node.right.types.length), 'r')])} FROM (${below(node.left)}) AS l CROSS JOIN (${below(node.right)}) AS r`;
    case 'delimScan':
      return delims.get(node.delimId) ?? 'the duplicates of no join';
    case 'order':
      return select(columns(node.output), below(node.child), orderBy(node.keys));
    case 'topN':
      return select(
        all(node.child),
        below(node.child),
        `${orderBy(node.keys)} LIMIT ${node.limit} OFFSET ${node.offset}`,
      );
    case 'limit': {
      const limit = node.limit === undefined ? '' : ` LIMIT ${node.limit}`;
      return select(all(node.child), below(node.child), `${limit} OFFSET ${node.offset}`);
    }
    case 'window': {
      const calls = node.calls.map((call) => call.render(call.operands.map(own)));
      return select([...all(node.child), ...calls], below(node.child));
    }
    case 'setOperation': {
      const sign = ` ${node.kind.toUpperCase()}${node.isAll ? ' ALL' : ''} `;
      return node.inputs.map((input) => `(${select(all(input), below(input))})`).join(sign);
    }
    case 'cte':
      return `WITH cte${node.cteId} AS MATERIALIZED (${below(node.definition)}) ${select(all(node.child), below(node.child))}`;
    case 'cteScan':
      return `SELECT * FROM cte${node.cteId}`;
  }
}

/** The SQL of an aggregate over the columns of `t`. */
export function aggregateSql({ name, operands, isDistinct, filter, orders, type }: AggregateCall): string {
  const inside = name === 'count_star' ? '*' : operands.map(own).join(', ');
  const call = name === 'count_star' ? 'count' : `"${name}"`;
  const filtered = filter === undefined ? '' : ` FILTER (WHERE ${own(filter)})`;
  return `CAST(${call}(${isDistinct ? 'DISTINCT ' : ''}${inside}${orderBy(orders)})${filtered} AS ${type.sql})`;
}

function aggregate(node: Extract<PlanNode, { op: 'aggregate' }>, below: string): string {
  const width = node.child.types.length;
  const from = select([...columns(range(width)), ...node.groups.map(own)], below);
  const group = (index: number): string => `t.c${width + index}`;
  const grouping = node.groupings.map((list) => `CAST(GROUPING(${list.map(group).join(', ')}) AS BIGINT)`);
  const list = [...node.groups.map((_, index) => group(index)), ...node.aggregates.map(aggregateSql), ...grouping];
  const sets = node.sets.map((set) => `(${set.map(group).join(', ')})`).join(', ');
  return select(
    list,
    from,
    node.groups.length === 0 && node.sets.length <= 1 ? '' : ` GROUP BY GROUPING SETS (${sets})`,
  );
}

const WORDS = {
  inner: 'JOIN',
  left: 'LEFT JOIN',
  right: 'RIGHT JOIN',
  full: 'FULL JOIN',
  single: 'LEFT JOIN',
} as const;

function join(node: Join, delims: Delims): string {
  const { delim, leftOutput, rightOutput } = node;
  const plain = delim === undefined || !delim.isFlipped ? wholeSql(node.left, delims) : wholeSql(node.right, delims);
  const inner =
    delim === undefined
      ? delims
      : new Map([
          ...delims,
          [delim.delimId, `SELECT DISTINCT ${items(delim.eliminated.map(own))} FROM (${plain}) AS t`] as const,
        ]);
  const left = delim?.isFlipped ? wholeSql(node.left, inner) : wholeSql(node.left, delims);
  const right = delim?.isFlipped ? wholeSql(node.right, delims) : wholeSql(node.right, inner);
  const condition = conditionSql(node);
  const from = (word: string): string => ` FROM (${left}) AS l ${word} (${right}) AS r ON ${condition}`;
  const ofLeft = columns(leftOutput, 'l');
  const ofRight = columns(rightOutput, 'r');
  switch (node.kind) {
    case 'semi':
    case 'anti':
      return `SELECT ${items(ofLeft)}${from(`${node.kind} JOIN`)}`;
    case 'right_semi':
    case 'right_anti': {
      const word = node.kind === 'right_semi' ? 'SEMI' : 'ANTI';
      return `SELECT ${items(ofRight)} FROM (${right}) AS r ${word} JOIN (${left}) AS l ON ${condition}`;
    }
    case 'mark': {
      const found = `coalesce(bool_or(${condition}), false)`;
      const mark = `(SELECT CASE WHEN ${found} THEN true WHEN bool_or((${condition}) IS NULL) THEN NULL ELSE false END FROM (${right}) AS r)`;
      return `SELECT ${items([...ofLeft, mark])} FROM (${left}) AS l`;
    }
    default:
      return `SELECT ${items([...ofLeft, ...ofRight])}${from(WORDS[node.kind])}`;
  }
}

function conditionSql({ conditions, residual, left }: Join): string {
  const width = left.types.length;
  const parts = conditions.map((condition) => {
    const [l, r] = [condition.left, condition.right].map((side, index) =>
      expressionSql(side, (column) => `${index === 0 ? 'l' : 'r'}.c${column}`),
    );
    return `(${l} ${condition.comparison} ${r})`;
  });
  if (residual !== undefined)
    parts.push(expressionSql(residual, (column) => (column < width ? `l.c${column}` : `r.c${column - width}`)));
  return parts.length === 0 ? 'true' : parts.join(' AND ');
}
