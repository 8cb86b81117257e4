/** A broken promise of our own code: the process cannot go on as if nothing had happened. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** States what must be true here. Throws InvariantError otherwise: a bug, never bad input. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}

/** Closes a union: a case that was forgotten is a type error here. */
export function unreachable(value: never): never {
  throw new InvariantError(`unexpected case: ${JSON.stringify(value)}`);
}
