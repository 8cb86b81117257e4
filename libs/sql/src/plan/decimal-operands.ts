// Operands of decimal arithmetic. The engine's plan has widened them to the type of the result; written out again they would be
// widened once more, and every value of the result would be cast back.
import type { PlanExpression, PlanType } from './plan.js';

/** The operands of a sum, a difference or a product of type `wanted`, such that the engine gives that type by itself where possible. */
export const decimalOperands = (
  name: string,
  operands: readonly PlanExpression[],
  wanted: PlanType,
): readonly PlanExpression[] => withNarrowConstants(name, operands.map(withoutWidening), wanted);

/** An operand as it was before it was widened. */
function withoutWidening(operand: PlanExpression): PlanExpression {
  if (operand.kind !== 'compound' || operand.type.id !== 'DECIMAL') return operand;
  const [inner] = operand.operands;
  if (operand.operands.length !== 1 || inner?.type.id !== 'DECIMAL') return operand;
  const isCast = operand.render(['x']) === `CAST(x AS ${operand.type.sql})`;
  return isCast && scaleOf(inner.type) === scaleOf(operand.type) && widthOf(inner.type) <= widthOf(operand.type)
    ? inner
    : operand;
}

/** The same with a constant of fewer digits, where that gives the type that is wanted. Nothing else could overflow. */
function withNarrowConstants(
  name: string,
  operands: readonly PlanExpression[],
  wanted: PlanType,
): readonly PlanExpression[] {
  const [first, second] = operands;
  if (first === undefined || second === undefined || operands.length !== 2) return operands;
  for (const left of narrowed(first))
    for (const right of narrowed(second))
      if (arithmeticType(name, left.type, right.type) === wanted.sql) return [left, right];
  return operands;
}

/** An operand, and if it is a constant the same one with fewer digits. */
function narrowed(operand: PlanExpression): readonly PlanExpression[] {
  if (operand.kind !== 'constant' || operand.text === undefined || operand.type.id !== 'DECIMAL') return [operand];
  const { text, type } = operand;
  const scale = scaleOf(type);
  const digits = text.replace(/[-.]/g, '').replace(/^0+/, '').length;
  const least = Math.max(1, scale, digits);
  const widths = Array.from({ length: Math.max(0, widthOf(type) - least) }, (_, index) => widthOf(type) - 1 - index);
  const narrow = widths.map((width): PlanExpression => {
    const sql = `DECIMAL(${width},${scale})`;
    return { kind: 'constant', sql: `CAST('${text}' AS ${sql})`, text, type: { ...type, sql } };
  });
  return [operand, ...narrow];
}

const WIDTH_MAX = 38;
/** Of decimals that are kept in 64 bits. */
const WIDTH_64_MAX = 18;

/** The type that the engine gives to a sum, a difference or a product of decimals. */
function arithmeticType(name: string, left: PlanType, right: PlanType): string | undefined {
  if (left.id !== 'DECIMAL' || right.id !== 'DECIMAL') return undefined;
  const [widths, scales] = [
    [widthOf(left), widthOf(right)],
    [scaleOf(left), scaleOf(right)],
  ] as const;
  const isProduct = name === '*';
  const scale = isProduct ? scales[0] + scales[1] : Math.max(...scales);
  const width = isProduct
    ? widths[0] + widths[1]
    : Math.max(scale + Math.max(widths[0] - scales[0], widths[1] - scales[1]), ...widths) + 1;
  const isKept64 = width > WIDTH_64_MAX && Math.max(...widths) <= WIDTH_64_MAX && (!isProduct || scale < WIDTH_64_MAX);
  return `DECIMAL(${isKept64 ? WIDTH_64_MAX : Math.min(width, WIDTH_MAX)},${scale})`;
}

const scaleOf = ({ sql }: PlanType): number => Number(/,(\d+)\)/.exec(sql)?.[1] ?? 0);
const widthOf = ({ sql }: PlanType): number => Number(/\((\d+)/.exec(sql)?.[1] ?? 0);
