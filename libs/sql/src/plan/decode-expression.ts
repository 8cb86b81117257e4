// Expressions of the engine's plan. Strict: a class, operator, function or field that is not listed here is not understood.
import type { LosslessJson, LosslessObject } from './lossless-json.js';
import type { PlanExpression, PlanType } from './plan.js';
import { constantFromPlan } from './decode-constant.js';
import { callFromPlan } from './decode-function.js';
import { arrayOf, checkKeys, flagOf, keys, NotUnderstood, numberOf, objectOf, textOf } from './plan-fields.js';
import { simpleType, typeFromPlan } from './plan-type.js';

const BOOLEAN = simpleType('BOOLEAN');

const COMMON = ['expression_class', 'type', 'alias', 'query_location', 'return_type'];
const KEYS: Readonly<Record<string, ReadonlySet<string>>> = {
  BOUND_REF: keys(...COMMON, 'index'),
  BOUND_CONSTANT: keys(...COMMON, 'value'),
  BOUND_CAST: keys(...COMMON, 'child', 'try_cast'),
  BOUND_COMPARISON: keys(...COMMON, 'left', 'right'),
  BOUND_CONJUNCTION: keys(...COMMON, 'children'),
  BOUND_OPERATOR: keys(...COMMON, 'children'),
  BOUND_CASE: keys(...COMMON, 'case_checks', 'else_expr'),
  BOUND_BETWEEN: keys(...COMMON, 'input', 'lower', 'upper', 'lower_inclusive', 'upper_inclusive'),
};

/** SQL operators of the engine's comparisons. */
export const COMPARISONS: Readonly<Record<string, string>> = {
  COMPARE_EQUAL: '=',
  COMPARE_NOTEQUAL: '<>',
  COMPARE_LESSTHAN: '<',
  COMPARE_GREATERTHAN: '>',
  COMPARE_LESSTHANOREQUALTO: '<=',
  COMPARE_GREATERTHANOREQUALTO: '>=',
  COMPARE_DISTINCT_FROM: 'IS DISTINCT FROM',
  COMPARE_NOT_DISTINCT_FROM: 'IS NOT DISTINCT FROM',
};

/** Decodes an expression. With `reference`, references are replaced by what it gives for their index. Throws NotUnderstood. */
export function expressionFromPlan(
  json: LosslessJson | undefined,
  reference?: (index: number) => PlanExpression,
): PlanExpression {
  const object = objectOf(json, 'an expression');
  const kind = textOf(object['expression_class'], 'the class of an expression');
  const decode = (value: LosslessJson | undefined) => expressionFromPlan(value, reference);
  if (kind === 'BOUND_FUNCTION') return callFromPlan(object, decode);
  const known = KEYS[kind];
  if (known === undefined) throw new NotUnderstood(NAMES[kind] ?? `an expression ${kind}`);
  checkKeys(object, known, kind);
  switch (kind) {
    case 'BOUND_REF': {
      const index = numberOf(object['index'] ?? undefined, 'the index of a column');
      return reference?.(index) ?? { kind: 'column', index, type: typeFromPlan(object['return_type']) };
    }
    case 'BOUND_CONSTANT':
      return constantFromPlan(object['value']);
    case 'BOUND_CAST': {
      const type = typeFromPlan(object['return_type']);
      const cast = flagOf(object['try_cast']) ? 'TRY_CAST' : 'CAST';
      return compound([decode(object['child'])], ([child]) => `${cast}(${child} AS ${type.sql})`, type);
    }
    case 'BOUND_COMPARISON': {
      const sign = COMPARISONS[String(object['type'])];
      if (sign === undefined) throw new NotUnderstood(`the comparison ${String(object['type'])}`);
      return compound([decode(object['left']), decode(object['right'])], ([l, r]) => `(${l} ${sign} ${r})`, BOOLEAN);
    }
    case 'BOUND_CONJUNCTION': {
      const word = object['type'] === 'CONJUNCTION_OR' ? ' OR ' : ' AND ';
      return compound(children(object).map(decode), (parts) => `(${parts.join(word)})`, BOOLEAN);
    }
    case 'BOUND_OPERATOR':
      return operator(object, decode);
    case 'BOUND_CASE':
      return caseOf(object, decode);
    default: {
      const low = flagOf(object['lower_inclusive']) ? '>=' : '>';
      const high = flagOf(object['upper_inclusive']) ? '<=' : '<';
      const operands = [object['input'], object['lower'], object['upper']].map(decode);
      return compound(operands, ([x, from, to]) => `(${x} ${low} ${from} AND ${x} ${high} ${to})`, BOOLEAN);
    }
  }
}

/** How EXPLAIN names what is not understood. */
const NAMES: Readonly<Record<string, string>> = {
  BOUND_LAMBDA: 'a lambda',
  BOUND_LAMBDA_REF: 'a lambda',
  BOUND_PARAMETER: 'a parameter',
  BOUND_SUBQUERY: 'a subquery that the optimiser left as it is',
};

type Decode = (json: LosslessJson | undefined) => PlanExpression;

const children = (object: LosslessObject) => arrayOf(object['children'], 'operands');

export const compound = (
  operands: readonly PlanExpression[],
  render: (operands: readonly string[]) => string,
  type: PlanType,
): PlanExpression => ({ kind: 'compound', operands, render, type });

function operator(object: LosslessObject, decode: Decode): PlanExpression {
  const operands = children(object).map(decode);
  const type = typeFromPlan(object['return_type']);
  switch (object['type']) {
    case 'COMPARE_IN':
      return compound(operands, ([x, ...values]) => `(${x} IN (${values.join(', ')}))`, type);
    case 'COMPARE_NOT_IN':
      return compound(operands, ([x, ...values]) => `(${x} NOT IN (${values.join(', ')}))`, type);
    case 'OPERATOR_IS_NULL':
      return compound(operands, ([x]) => `(${x} IS NULL)`, type);
    case 'OPERATOR_IS_NOT_NULL':
      return compound(operands, ([x]) => `(${x} IS NOT NULL)`, type);
    case 'OPERATOR_NOT':
      return compound(operands, ([x]) => `(NOT ${x})`, type);
    case 'OPERATOR_COALESCE':
      return compound(operands, (parts) => `CAST(coalesce(${parts.join(', ')}) AS ${type.sql})`, type);
    default:
      throw new NotUnderstood(`the operator ${String(object['type'])}`);
  }
}

const CHECK_KEYS = keys('when_expr', 'then_expr');

function caseOf(object: LosslessObject, decode: Decode): PlanExpression {
  const checks = arrayOf(object['case_checks'], 'the branches of a CASE').map((json) => {
    const check = objectOf(json, 'a branch of a CASE');
    checkKeys(check, CHECK_KEYS, 'CASE');
    return [decode(check['when_expr']), decode(check['then_expr'])];
  });
  const type = typeFromPlan(object['return_type']);
  const render = (parts: readonly string[]): string => {
    const branches = checks.map((_, index) => `WHEN ${parts[2 * index]} THEN ${parts[2 * index + 1]}`);
    return `CAST(CASE ${branches.join(' ')} ELSE ${parts.at(-1)} END AS ${type.sql})`;
  };
  return compound([...checks.flat(), decode(object['else_expr'])], render, type);
}
