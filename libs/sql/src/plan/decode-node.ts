import type { LosslessJson, LosslessObject } from './lossless-json.js';
import type { PlanExpression, PlanNode, PlanType } from './plan.js';
import { aggregateFromPlan, sortKeysFromPlan, windowFromPlan } from './decode-calls.js';
import { expressionFromPlan } from './decode-expression.js';
import { crossFromPlan, joinFromPlan } from './decode-join.js';
import type { DecodeContext } from './decode-plan.js';
import { scanFromPlan } from './decode-scan.js';
import { outputOf, pick, sameTypes } from './node-outputs.js';
import type { ExplainNode } from './plan-estimates.js';
import {
  arrayOf,
  checkKeys,
  flagOf,
  indexesOf,
  keys,
  NotUnderstood,
  numberOf,
  objectOf,
  textOf,
} from './plan-fields.js';
import { simpleType, typeFromPlan } from './plan-type.js';

const KEYS: Readonly<Record<string, ReadonlySet<string>>> = {
  LOGICAL_PROJECTION: keys('expressions'),
  LOGICAL_FILTER: keys('expressions', 'projection_map'),
  LOGICAL_AGGREGATE_AND_GROUP_BY: keys(
    ...['expressions', 'group_index', 'aggregate_index', 'groupings_index', 'groups', 'grouping_sets'],
    ...['grouping_functions', 'distinct_validity'],
  ),
  LOGICAL_WINDOW: keys('expressions', 'window_index'),
  LOGICAL_UNNEST: keys('expressions', 'unnest_index'),
  LOGICAL_ORDER_BY: keys('orders', 'projections', 'projection_map'),
  LOGICAL_TOP_N: keys('orders', 'limit', 'offset'),
  LOGICAL_LIMIT: keys('limit_val', 'offset_val'),
  LOGICAL_DISTINCT: keys('distinct_type', 'distinct_targets', 'order_by'),
  LOGICAL_DUMMY_SCAN: keys(),
  LOGICAL_EMPTY_RESULT: keys('return_types', 'bindings'),
  LOGICAL_EXPRESSION_GET: keys('expr_types', 'expressions'),
  LOGICAL_DELIM_GET: keys('chunk_types'),
  LOGICAL_UNION: keys('column_count', 'setop_all', 'allow_out_of_order'),
  LOGICAL_EXCEPT: keys('column_count', 'setop_all', 'allow_out_of_order'),
  LOGICAL_INTERSECT: keys('column_count', 'setop_all', 'allow_out_of_order'),
  LOGICAL_MATERIALIZED_CTE: keys('column_count', 'ctename', 'materialize'),
  LOGICAL_CTE_REF: keys('cte_index', 'chunk_types', 'bound_columns', 'is_recurring', 'materialized_cte'),
};

/** In every node. */
const COMMON = ['type', 'children', 'table_index', 'estimated_cardinality', 'has_estimated_cardinality'];

/** Decodes a node and all below it. Throws NotUnderstood. */
export function decodeNode(json: LosslessJson | undefined, context: DecodeContext, shown: ExplainNode): PlanNode {
  const node = objectOf(json, 'an operator');
  const type = textOf(node['type'], 'the kind of an operator');
  const place = context.estimates.fitting(shown, type);
  const children = arrayOf(node['children'], 'the inputs of an operator');
  const places = context.estimates.childrenOf(place, children.length);
  if (type === 'LOGICAL_GET') return scanFromPlan(node, context, place);
  if (type === 'LOGICAL_COMPARISON_JOIN' || type === 'LOGICAL_DELIM_JOIN' || type === 'LOGICAL_ANY_JOIN')
    return joinFromPlan(node, context, place, decodeNode);
  if (type === 'LOGICAL_CROSS_PRODUCT') return crossFromPlan(node, context, place, decodeNode);
  const known = KEYS[type];
  if (known === undefined) throw new NotUnderstood(nameOf(type));
  checkKeys(node, new Set([...known, ...COMMON]), nameOf(type));
  if (type === 'LOGICAL_MATERIALIZED_CTE') return cte(node, context, place);
  const inputs = children.map((child, index) => decodeNode(child, context, places[index]));
  const estimatedRows = context.estimates.rowsOf(
    place,
    inputs.map((input) => input.estimatedRows),
  );
  return { ...operator(type, node, inputs, context), estimatedRows } as PlanNode;
}

/** LOGICAL_RECURSIVE_CTE as "recursive cte". */
export const nameOf = (type: string): string =>
  type
    .replace(/^LOGICAL_/, '')
    .replaceAll('_', ' ')
    .toLowerCase();

const BIGINT = simpleType('BIGINT');

type Body = PlanNode extends infer Node ? (Node extends PlanNode ? Omit<Node, 'estimatedRows'> : never) : never;

function operator(type: string, node: LosslessObject, inputs: readonly PlanNode[], context: DecodeContext): Body {
  const [child] = inputs;
  const expressions = (field: string): PlanExpression[] =>
    arrayOf(node[field], field).map((value) => expressionFromPlan(value));
  const only = (): PlanNode => {
    if (child === undefined || inputs.length !== 1)
      throw new NotUnderstood(`${nameOf(type)} of ${inputs.length} inputs`);
    return child;
  };
  switch (type) {
    case 'LOGICAL_PROJECTION': {
      const list = expressions('expressions');
      return { op: 'project', child: only(), expressions: list, types: list.map((one) => one.type) };
    }
    case 'LOGICAL_FILTER': {
      const output = outputOf(node['projection_map'], only().types.length);
      return {
        op: 'filter',
        child: only(),
        predicates: expressions('expressions'),
        output,
        types: pick(only().types, output),
      };
    }
    case 'LOGICAL_AGGREGATE_AND_GROUP_BY': {
      const groups = expressions('groups');
      const aggregates = arrayOf(node['expressions'], 'aggregates').map(aggregateFromPlan);
      const groupings = arrayOf(node['grouping_functions'], 'GROUPING').map((list) => indexesOf(list, 'GROUPING'));
      const named = arrayOf(node['grouping_sets'], 'grouping sets').map((list) => indexesOf(list, 'a grouping set'));
      const sets = named.length > 0 ? named : [groups.map((_, index) => index)];
      const types = [...groups, ...aggregates].map((one) => one.type);
      return {
        ...{ op: 'aggregate', child: only(), groups, sets, aggregates, groupings },
        types: [...types, ...groupings.map(() => BIGINT)],
      };
    }
    case 'LOGICAL_WINDOW': {
      const calls = arrayOf(node['expressions'], 'windows').map(windowFromPlan);
      return { op: 'window', child: only(), calls, types: [...only().types, ...calls.map((call) => call.type)] };
    }
    case 'LOGICAL_UNNEST': {
      const list = arrayOf(node['expressions'], 'UNNEST').map(unnested);
      return {
        op: 'unnest',
        child: only(),
        expressions: list.map(([one]) => one),
        types: [...only().types, ...list.map(([, one]) => one)],
      };
    }
    case 'LOGICAL_ORDER_BY': {
      const output = outputOf(node['projections'] ?? node['projection_map'], only().types.length);
      return {
        op: 'order',
        child: only(),
        keys: sortKeysFromPlan(node['orders']),
        output,
        types: pick(only().types, output),
      };
    }
    case 'LOGICAL_TOP_N': {
      const limit = numberOf(node['limit'], 'LIMIT');
      const offset = node['offset'] === undefined ? 0 : numberOf(node['offset'], 'OFFSET');
      return { op: 'topN', child: only(), keys: sortKeysFromPlan(node['orders']), limit, offset, types: only().types };
    }
    case 'LOGICAL_LIMIT':
      return {
        ...{ op: 'limit', child: only(), types: only().types },
        ...{ limit: boundOf(node['limit_val']), offset: boundOf(node['offset_val']) ?? 0 },
      };
    case 'LOGICAL_DISTINCT': {
      const isOn = node['distinct_type'] === 'DISTINCT_ON';
      const targets = expressions('distinct_targets');
      if (!isOn && !areAllColumns(targets, only().types.length)) throw new NotUnderstood('distinct of some columns');
      const orders = node['order_by'] ? sortKeysFromPlan(objectOf(node['order_by'], 'ORDER BY')['orders']) : [];
      const on = isOn ? targets : undefined;
      return { op: 'distinct', child: only(), on, orders, types: only().types };
    }
    case 'LOGICAL_DUMMY_SCAN':
      return { op: 'values', rows: [[]], types: [] };
    case 'LOGICAL_EMPTY_RESULT':
      return { op: 'empty', types: arrayOf(node['return_types'], 'types').map(typeFromPlan) };
    case 'LOGICAL_EXPRESSION_GET': {
      if (only().op !== 'values') throw new NotUnderstood('VALUES over an input');
      const rows = arrayOf(node['expressions'], 'rows').map((row) =>
        arrayOf(row, 'a row').map((value) => expressionFromPlan(value)),
      );
      return { op: 'values', rows, types: arrayOf(node['expr_types'], 'types').map(typeFromPlan) };
    }
    case 'LOGICAL_DELIM_GET':
      return delimScan(node, context);
    case 'LOGICAL_UNION':
    case 'LOGICAL_EXCEPT':
    case 'LOGICAL_INTERSECT': {
      const kind = ({ LOGICAL_UNION: 'union', LOGICAL_EXCEPT: 'except', LOGICAL_INTERSECT: 'intersect' } as const)[
        type
      ];
      const types = inputs[0]?.types ?? [];
      if (inputs.length < 2 || inputs.some((input) => !sameTypes(input.types, types)))
        throw new NotUnderstood(`${nameOf(type)} of inputs with other types`);
      return { op: 'setOperation', kind, isAll: flagOf(node['setop_all']), inputs, types };
    }
    default: {
      if (flagOf(node['is_recurring'])) throw new NotUnderstood('a recursive cte');
      const cteId = numberOf(node['cte_index'], 'a CTE');
      const types = arrayOf(node['chunk_types'], 'types').map(typeFromPlan);
      if (!sameTypes(context.ctes.get(cteId) ?? [], types)) throw new NotUnderstood('a cte of other types');
      return { op: 'cteScan', cteId, types };
    }
  }
}

function cte(node: LosslessObject, context: DecodeContext, place: ExplainNode): PlanNode {
  const [definitionJson, childJson] = arrayOf(node['children'], 'a CTE');
  const [definitionPlace, childPlace] = context.estimates.childrenOf(place, 2);
  const cteId = numberOf(node['table_index'], 'a CTE');
  const definition = decodeNode(definitionJson, context, definitionPlace);
  const ctes = new Map([...context.ctes, [cteId, definition.types]]);
  const child = decodeNode(childJson, { ...context, ctes }, childPlace);
  return { op: 'cte', cteId, definition, child, types: child.types, estimatedRows: child.estimatedRows };
}

function delimScan(node: LosslessObject, { delims }: DecodeContext): Body {
  const types = arrayOf(node['chunk_types'], 'types').map(typeFromPlan);
  const delim = delims.at(-1);
  if (delim === undefined || !sameTypes(delim.types, types))
    throw new NotUnderstood('a correlated subquery of this shape');
  return { op: 'delimScan', delimId: delim.delimId, types };
}

const areAllColumns = (expressions: readonly PlanExpression[], count: number): boolean =>
  new Set(expressions.map((one) => (one.kind === 'column' ? one.index : -1))).size === count &&
  expressions.every(({ kind }) => kind === 'column');

const UNNEST_KEYS = keys('expression_class', 'type', 'alias', 'query_location', 'return_type', 'child');

function unnested(json: LosslessJson): [PlanExpression, PlanType] {
  const object = objectOf(json, 'UNNEST');
  if (object['expression_class'] !== 'BOUND_UNNEST') throw new NotUnderstood('UNNEST of another class');
  checkKeys(object, UNNEST_KEYS, 'UNNEST');
  return [expressionFromPlan(object['child']), typeFromPlan(object['return_type'])];
}

function boundOf(json: LosslessJson | undefined): number | undefined {
  const bound = objectOf(json, 'a limit');
  if (bound['type'] === 'UNSET') return undefined;
  if (bound['type'] !== 'CONSTANT_VALUE') throw new NotUnderstood('a limit that is no constant');
  return numberOf(bound['constant_integer'], 'a limit');
}
