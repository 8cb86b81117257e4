// SQL that makes the values of a column from the number of its row, `i`: the same for the same seed, on every machine.
// md5 and not the engine's own hash, which may change with its version.

/** Changes all data. Answers that a human has looked at were looked at with this one. */
const SEED = 5;

/** An integer from 0 to below `below`, by row and `salt`. */
export const pick = (salt: string, below: number): string =>
  `(md5_number_lower(i || '/${salt}/${SEED}') % ${below})::BIGINT`;

/** One of some SQL expressions, all as often. */
export const oneOf = (salt: string, values: readonly string[]): string => {
  const cases = values.map((value, index) => `WHEN ${index} THEN ${value}`);
  return `CASE ${pick(salt, values.length)} ${cases.join(' ')} END`;
};

/** `rare` in so many rows of a hundred, and otherwise `usual`. */
export const sometimes = (salt: string, percent: number, rare: string, usual: string): string =>
  `CASE WHEN ${pick(`${salt}?`, 100)} < ${percent} THEN ${rare} ELSE ${usual} END`;

/** One of some values of a type, given as texts; undefined stands for NULL. */
export const oneText = (salt: string, type: string, texts: readonly (string | undefined)[]): string =>
  oneOf(
    salt,
    texts.map((text) => (text === undefined ? 'NULL' : `'${text}'::${type}`)),
  );

/** NULL in so many rows of a hundred. */
export const nullable = (salt: string, percent: number, usual: string): string =>
  sometimes(salt, percent, 'NULL', usual);

/** Multiples of a quarter: their sums are exact in any order. */
export const quarters = (salt: string, range: number): string =>
  `((${pick(salt, range)} - ${Math.floor(range / 2)}) / 4.0)::DOUBLE`;
