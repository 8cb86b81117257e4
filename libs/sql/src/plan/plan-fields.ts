// Reads the engine's plan field by field. Whatever is not expected makes the plan unsupported: it is never skipped.
import { JsonNumber, type LosslessJson, type LosslessObject } from './lossless-json.js';

/** Thrown and caught within decodePlan: the statement runs whole on one worker, for this reason. */
export class NotUnderstood extends Error {}

const isObject = (value: LosslessJson | undefined): value is LosslessObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof JsonNumber);

export function objectOf(value: LosslessJson | undefined, what: string): LosslessObject {
  if (isObject(value)) return value;
  throw new NotUnderstood(`${what} is no object`);
}

export function arrayOf(value: LosslessJson | undefined, what: string): readonly LosslessJson[] {
  if (Array.isArray(value)) return value as readonly LosslessJson[];
  if (value === undefined) return [];
  throw new NotUnderstood(`${what} is no array`);
}

export function textOf(value: LosslessJson | undefined, what: string): string {
  if (typeof value === 'string') return value;
  throw new NotUnderstood(`${what} is no text`);
}

export function numberOf(value: LosslessJson | undefined, what: string): number {
  if (value instanceof JsonNumber && Number.isSafeInteger(value.value)) return value.value;
  throw new NotUnderstood(`${what} is no whole number`);
}

export const indexesOf = (value: LosslessJson | undefined, what: string): number[] =>
  arrayOf(value, what).map((index) => numberOf(index, what));

export const flagOf = (value: LosslessJson | undefined): boolean => value === true;

const EMPTY_TEXTS = new Set(['', 'INVALID']);

/** Whether a field says nothing: absent, empty, false, or zero. */
function saysNothing(value: LosslessJson | undefined): boolean {
  if (value === undefined || value === null || value === false) return true;
  if (typeof value === 'string') return EMPTY_TEXTS.has(value);
  if (value instanceof JsonNumber) return value.value === 0;
  if (Array.isArray(value)) return value.length === 0;
  return isObject(value) && Object.values(value).every(saysNothing);
}

/** Refuses an object with a field that is neither known nor empty: it may change the meaning. */
export function checkKeys(object: LosslessObject, known: ReadonlySet<string>, what: string): void {
  for (const [key, value] of Object.entries(object))
    if (!known.has(key) && !saysNothing(value)) throw new NotUnderstood(`${what} with ${key}`);
}

export const keys = (...names: string[]): ReadonlySet<string> => new Set(names);
