import type { LosslessJson, LosslessObject } from './lossless-json.js';
import type { JoinCondition, JoinKind, PlanNode, PlanType } from './plan.js';
import { COMPARISONS, expressionFromPlan } from './decode-expression.js';
import type { DecodeContext } from './decode-plan.js';
import { outputOf, pick } from './node-outputs.js';
import type { ExplainNode } from './plan-estimates.js';
import { arrayOf, checkKeys, flagOf, keys, NotUnderstood, objectOf } from './plan-fields.js';
import { simpleType } from './plan-type.js';

type DecodeNode = (json: LosslessJson | undefined, context: DecodeContext, place: ExplainNode) => PlanNode;

const COMMON = ['type', 'children', 'table_index', 'estimated_cardinality', 'has_estimated_cardinality'];
const KEYS = keys(
  ...COMMON,
  ...['join_type', 'mark_index', 'left_projection_map', 'right_projection_map', 'conditions', 'mark_types'],
  ...['duplicate_eliminated_columns', 'delim_flipped', 'predicate', 'condition', 'convert_mark_to_semi'],
);

const KINDS: Readonly<Record<string, JoinKind>> = {
  INNER: 'inner',
  LEFT: 'left',
  RIGHT: 'right',
  OUTER: 'full',
  FULL: 'full',
  SEMI: 'semi',
  ANTI: 'anti',
  RIGHT_SEMI: 'right_semi',
  RIGHT_ANTI: 'right_anti',
  MARK: 'mark',
  SINGLE: 'single',
};

const BOOLEAN = simpleType('BOOLEAN');
const CONDITION_KEYS = keys('left', 'right', 'comparison');

export function joinFromPlan(
  node: LosslessObject,
  context: DecodeContext,
  place: ExplainNode,
  decode: DecodeNode,
): PlanNode {
  checkKeys(node, KEYS, 'join');
  const kind = KINDS[String(node['join_type'])];
  if (kind === undefined) throw new NotUnderstood(`a ${String(node['join_type'])} join`);
  const [leftJson, rightJson] = arrayOf(node['children'], 'the inputs of a join');
  const [leftPlace, rightPlace] = context.estimates.childrenOf(place, 2);
  const isFlipped = flagOf(node['delim_flipped']);
  const eliminated = arrayOf(node['duplicate_eliminated_columns'], 'columns').map((value) => expressionFromPlan(value));
  const isDelim = node['type'] === 'LOGICAL_DELIM_JOIN';
  if (!isDelim && eliminated.length > 0) throw new NotUnderstood('a join with eliminated duplicates');
  const delimId = isDelim ? context.nextDelimId() : 0;
  const delims = [...context.delims, { delimId, types: eliminated.map(({ type }) => type) }];
  const dependent = isDelim ? { ...context, delims } : context;
  const left = decode(leftJson, isFlipped ? dependent : context, leftPlace);
  const right = decode(rightJson, isFlipped ? context : dependent, rightPlace);
  const conditions = arrayOf(node['conditions'], 'join conditions').map(conditionFromPlan);
  // The condition of an ANY join, and what a comparison join has besides its comparisons.
  const other = node['condition'] ?? node['predicate'];
  const residual = other === undefined || other === null ? undefined : expressionFromPlan(other);
  if (kind === 'mark' && residual !== undefined) throw new NotUnderstood('a mark join with a further condition');
  const leftOutput = outputOf(node['left_projection_map'], left.types.length);
  const rightOutput = outputOf(node['right_projection_map'], right.types.length);
  const estimatedRows = context.estimates.rowsOf(place, [left.estimatedRows, right.estimatedRows]);
  const delim = isDelim ? { delimId, eliminated, isFlipped } : undefined;
  const types = outputTypes(kind, pick(left.types, leftOutput), pick(right.types, rightOutput));
  return { op: 'join', kind, left, right, conditions, residual, leftOutput, rightOutput, delim, types, estimatedRows };
}

function outputTypes(kind: JoinKind, left: readonly PlanType[], right: readonly PlanType[]): PlanType[] {
  if (kind === 'semi' || kind === 'anti') return [...left];
  if (kind === 'right_semi' || kind === 'right_anti') return [...right];
  if (kind === 'mark') return [...left, BOOLEAN];
  return [...left, ...right];
}

function conditionFromPlan(json: LosslessJson): JoinCondition {
  const object = objectOf(json, 'a join condition');
  checkKeys(object, CONDITION_KEYS, 'a join condition');
  const comparison = COMPARISONS[String(object['comparison'])];
  if (comparison === undefined) throw new NotUnderstood(`the join condition ${String(object['comparison'])}`);
  return { left: expressionFromPlan(object['left']), right: expressionFromPlan(object['right']), comparison };
}

const CROSS_KEYS = keys(...COMMON);

export function crossFromPlan(
  node: LosslessObject,
  context: DecodeContext,
  place: ExplainNode,
  decode: DecodeNode,
): PlanNode {
  checkKeys(node, CROSS_KEYS, 'cross product');
  const [leftJson, rightJson] = arrayOf(node['children'], 'the inputs of a cross product');
  const [leftPlace, rightPlace] = context.estimates.childrenOf(place, 2);
  const left = decode(leftJson, context, leftPlace);
  const right = decode(rightJson, context, rightPlace);
  const estimatedRows = context.estimates.rowsOf(place, [left.estimatedRows * right.estimatedRows]);
  return { op: 'cross', left, right, types: [...left.types, ...right.types], estimatedRows };
}
