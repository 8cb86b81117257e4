// Two fragments whose matching rows are in the same tasks become one; and whether they are.
import type { Sides } from './cut-join.js';
import {
  type ColumnMap,
  type Distribution,
  type Fragment,
  type HashColumns,
  hashOf,
  isDivided,
  joinInputs,
  mapHash,
  mapOrigins,
  rangesOf,
  REPLICATED,
  SINGLE,
} from './fragment.js';
import { isDroppable, keptSides, otherSide, type Side } from './join-kind.js';
import { type Join, joinSql, type KeyPair, keyPairs } from './join-sql.js';
import { allColumns, column, readsTables, selectFrom, where } from './stage-sql.js';

/** Joins in the tasks where the rows are. */
export function joinedHere(join: Join, sides: Sides): Fragment {
  const { left, right } = sides;
  const inputs = joinInputs([left, right]);
  const maps = outputMaps(join);
  const kept = keptSides(join.kind);
  const origins = (['left', 'right'] as const).map((side): Fragment['origins'] =>
    kept.includes(side) ? mapOrigins(sides[side].origins, maps[side]) : maps[side].map(() => undefined),
  );
  return {
    ...inputs,
    sql: joinSql(join, {
      left: siftedSql(join, 'left', sides),
      right: siftedSql(join, 'right', sides),
      leftColumns: left.types.length,
    }),
    types: join.types,
    distribution: distributionOf(join, sides, maps),
    estimatedRows: estimate(join, sides),
    operators: [...inputs.operators, `${join.kind.replace('_', ' ')} join`],
    origins: join.types.map((_, index) => origins[0]?.[index] ?? origins[1]?.[index]),
    stored: undefined,
    isRowwise: left.isRowwise && right.isRowwise,
    isOneRow: false,
  };
}

/**
 * The rows of a side. Those that no table is read for at this place, of stages or made before, without the ones that cannot match:
 * the engine makes a Bloom filter for the scans of the other side only where this side has a filter.
 */
function siftedSql({ kind, conditions }: Join, side: Side, sides: Sides): string {
  const { sql, types } = sides[side];
  if (readsTables(sql) || !readsTables(sides[otherSide(side)].sql) || !isDroppable(kind, side)) return sql;
  const keys = conditions.flatMap(({ comparison, [side]: key }) =>
    comparison === '=' && key.kind === 'column' ? [key.index] : [],
  );
  if (keys.length === 0) return sql;
  const full = keys.map((index) => `${column(index)} IS NOT NULL`);
  return selectFrom(allColumns(types.length), sql, where(full));
}

/** Where each output column comes from in each side. */
function outputMaps({ kind, leftOutput, rightOutput, types }: Join): Readonly<Record<Side, ColumnMap>> {
  const isRightOnly = kind === 'right_semi' || kind === 'right_anti';
  const isLeftOnly = kind === 'semi' || kind === 'anti' || kind === 'mark';
  const left = isRightOnly ? [] : leftOutput;
  const right = isLeftOnly ? [] : rightOutput;
  return {
    left: types.map((_, index) => left[index]),
    right: types.map((_, index) => (index < left.length ? undefined : right[index - left.length])),
  };
}

function distributionOf(join: Join, sides: Sides, maps: Readonly<Record<Side, ColumnMap>>): Distribution {
  const { left, right } = sides;
  if (!isDivided(left) && !isDivided(right)) {
    const isReplicated = left.distribution.kind === 'replicated' && right.distribution.kind === 'replicated';
    return isReplicated ? REPLICATED : SINGLE;
  }
  const kept = keptSides(join.kind).filter((side) => isDivided(sides[side]));
  // A row is where the hash of the values of a kept side puts it; equal columns of both sides hold the same value.
  const bySide = kept.map((side) => withEqualColumns(join, side, hashOf(sides[side]), maps));
  const [first, second] = bySide;
  const ranges = kept.map((side) => rangesOf(sides[side]));
  return {
    kind: 'divided',
    ranges: ranges[0],
    hash: ranges.some((one) => one !== ranges[0])
      ? undefined
      : first === undefined || second === undefined
        ? (first ?? second)
        : union(first, second),
  };
}

const union = (first: HashColumns, second: HashColumns): HashColumns =>
  first.length === second.length ? first.map((entry, index) => new Set([...entry, ...(second[index] ?? [])])) : first;

/** The hash over the output columns. Of an inner join also those of the other side that are equal. */
function withEqualColumns(
  join: Join,
  side: Side,
  hash: HashColumns | undefined,
  maps: Readonly<Record<Side, ColumnMap>>,
) {
  if (hash === undefined) return undefined;
  const mine = maps[side];
  if (join.kind !== 'inner') return mapHash(hash, mine);
  const other = maps[side === 'left' ? 'right' : 'left'];
  const pairs = keyPairs(join);
  const entries = hash.map((columns) => {
    const equal = new Set(
      pairs.flatMap((pair) => {
        const [own, their] = side === 'left' ? [pair.left, pair.right] : [pair.right, pair.left];
        return own.kind === 'column' && columns.has(own.index) && their.kind === 'column' ? [their.index] : [];
      }),
    );
    return new Set(
      join.types.flatMap((_, index) => {
        const [own, their] = [mine[index], other[index]];
        return (own !== undefined && columns.has(own)) || (their !== undefined && equal.has(their)) ? [index] : [];
      }),
    );
  });
  return entries.every((entry) => entry.size > 0) ? entries : undefined;
}

function estimate({ kind, estimatedRows }: Join, { left, right }: Sides): number {
  if (kind === 'semi' || kind === 'anti') return Math.min(estimatedRows, left.estimatedRows);
  if (kind === 'right_semi' || kind === 'right_anti') return Math.min(estimatedRows, right.estimatedRows);
  if (kind === 'mark' || kind === 'single') return left.estimatedRows;
  return estimatedRows;
}

/** For each entry of the hash by which a side is divided, the pair of which it is the key; undefined if one has none, or by ranges. */
export function matchHash(rows: Fragment, side: Side, pairs: readonly KeyPair[]): readonly KeyPair[] | undefined {
  const hash = hashOf(rows);
  if (hash === undefined || rangesOf(rows) !== undefined) return undefined;
  const matched = hash.flatMap((columns) => {
    const pair = pairs.find((each) => {
      const key = each[side];
      return key.kind === 'column' && columns.has(key.index);
    });
    return pair ?? [];
  });
  return matched.length === hash.length ? matched : undefined;
}

/** Whether rows that match are in the same tasks: both sides are divided by the hash, or by the same ranges, of the same pairs. */
export function isTogetherByPairs({ left, right }: Sides, pairs: readonly KeyPair[]): boolean {
  const [lefts, rights] = [hashOf(left), hashOf(right)];
  if (rangesOf(left) !== rangesOf(right)) return false;
  if (lefts === undefined || rights === undefined || lefts.length !== rights.length) return false;
  return lefts.every((columns, index) =>
    pairs.some(
      (pair) =>
        pair.left.kind === 'column' &&
        columns.has(pair.left.index) &&
        pair.right.kind === 'column' &&
        (rights[index]?.has(pair.right.index) ?? false),
    ),
  );
}
