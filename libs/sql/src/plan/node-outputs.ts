import type { LosslessJson } from './lossless-json.js';
import type { PlanType } from './plan.js';
import { indexesOf, NotUnderstood } from './plan-fields.js';

/** A projection map; an empty one keeps all columns. */
export function outputOf(json: LosslessJson | undefined, count: number): number[] {
  const map = indexesOf(json ?? [], 'a projection map');
  return map.length > 0 ? map : Array.from({ length: count }, (_, index) => index);
}

export function pick(types: readonly PlanType[], output: readonly number[]): PlanType[] {
  return output.map((index) => {
    const type = types[index];
    if (type === undefined) throw new NotUnderstood('a projection map of another width');
    return type;
  });
}

export const sameTypes = (a: readonly PlanType[], b: readonly PlanType[]): boolean =>
  a.length === b.length && a.every((type, index) => type.sql === b[index]?.sql);
