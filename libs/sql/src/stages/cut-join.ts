// Joins. Either one side is read whole by every task, or both sides go by the hash of what they are joined by, or all rows
// come together in one task.
//   J1. A side is read whole only if no row is given for lack of a match in it (replicableSides), or if nothing is divided.
//   J2. By facts, the smaller allowed side is written by hash first; its real rows decide. One write, two ways to read it.
//   J3. Rows of the other side that cannot match are dropped by the range of the finished side (wanted-range.ts).
import type { Cutter } from './cutter.js';
import { allOf } from './all-of.js';
import { openDelimJoin } from './cut-delim.js';
import { type ClosedStage, type Fragment, hashOf, isDivided } from './fragment.js';
import { isTogetherByPairs, joinedHere, matchHash } from './join-fragments.js';
import { isDroppable, otherSide, replicableSides, type Side } from './join-kind.js';
import { type Join, type KeyPair, keyPairs } from './join-sql.js';
import type { NodeOf } from './plan-nodes.js';
import { readWhole } from './read-whole.js';
import type { PlanNode } from '../plan/plan.js';
import { wantRanges } from './wanted-range.js';

export type Sides = Readonly<Record<Side, Fragment>>;

export function openJoin(node: NodeOf<'join'>, cutter: Cutter): Fragment | undefined {
  if (node.delim !== undefined) return openDelimJoin(node, node.delim, cutter);
  const [left, right] = [cutter.open(node.left), cutter.open(node.right)];
  return left && right && joinFragments(node, { left, right }, { node, cutter });
}

export function openCross(node: NodeOf<'cross'>, cutter: Cutter): Fragment | undefined {
  const [left, right] = [cutter.open(node.left), cutter.open(node.right)];
  if (left === undefined || right === undefined) return undefined;
  const join: Join = {
    kind: 'inner',
    conditions: [],
    residual: undefined,
    leftOutput: left.types.map((_, index) => index),
    rightOutput: right.types.map((_, index) => index),
    types: node.types,
    estimatedRows: node.estimatedRows,
  };
  return joinFragments(join, { left, right }, { node, cutter });
}

/** Stages of the join are named after the node. */
interface Place {
  readonly node: PlanNode;
  readonly cutter: Cutter;
}

export function joinFragments(join: Join, sides: Sides, place: Place): Fragment | undefined {
  const { left, right } = sides;
  if (!isDivided(left) && !isDivided(right)) return joinedHere(join, sides);
  const pairs = keyPairs(join);
  if (isTogetherByPairs(sides, pairs)) return joinedHere(join, sides);
  const allowed = replicableSides(join.kind);
  const whole = allowed.find((side) => !isDivided(sides[side]));
  if (whole !== undefined) return withWhole(join, sides, whole, place);
  if (pairs.length === 0) return withoutKeys(join, sides, allowed, place);
  const build = smaller(sides, allowed);
  return build === undefined ? byHash(join, sides, pairs, place) : withBuild(join, sides, build, pairs, place);
}

/** J1: every task has all rows of `whole`. */
function withWhole(join: Join, sides: Sides, whole: Side, { node, cutter }: Place): Fragment | undefined {
  const rows = cutter.replicate(sides[whole], node, whole);
  return rows && joinedHere(join, wantedBy(join, { ...sides, [whole]: rows }, whole, rows.stored, cutter));
}

/** Nothing to hash by: the smaller allowed side goes everywhere; without one, all rows go to one task. */
function withoutKeys(join: Join, sides: Sides, allowed: readonly Side[], place: Place): Fragment | undefined {
  const side = smaller(sides, allowed);
  if (side !== undefined) return withWhole(join, sides, side, place);
  const [left, right] = (['left', 'right'] as const).map((each) => place.cutter.gather(sides[each], place.node, each));
  return left && right && joinedHere(join, { left, right });
}

function smaller(sides: Sides, allowed: readonly Side[]): Side | undefined {
  const [first, second] = allowed;
  if (first === undefined || second === undefined) return first;
  return sides[first].estimatedRows < sides[second].estimatedRows ? first : second;
}

/** J2. */
function withBuild(
  join: Join,
  sides: Sides,
  build: Side,
  pairs: readonly KeyPair[],
  place: Place,
): Fragment | undefined {
  const { cutter } = place;
  const rows = sides[build];
  const { stored } = rows;
  const read = readWhole(rows, sides[otherSide(build)], cutter.settings);
  if (read !== undefined) return joinedHere(join, { ...sides, [build]: read });
  if (stored === undefined && !cutter.settings.isAdaptive) {
    return cutter.isSmall(rows.estimatedRows)
      ? withWhole(join, sides, build, place)
      : byHash(join, sides, pairs, place);
  }
  if (stored === undefined && cutter.isSurelyLarge(rows.estimatedRows)) return byHash(join, sides, pairs, place);
  if (stored !== undefined && (cutter.isSmall(stored.rows) || hashOf(rows) !== undefined)) {
    return cutter.isSmall(stored.rows) ? withWhole(join, sides, build, place) : byHash(join, sides, pairs, place);
  }
  const keys = hashOrder(sides, pairs);
  const closed = closeByHash(sides[build], build, keys, place);
  if (closed === undefined) return undefined;
  const finished = cutter.readPartitions(closed);
  const wanted = wantedBy(join, { ...sides, [build]: finished }, build, closed, cutter);
  if (!isDivided(finished)) return joinedHere(join, wanted);
  const probe = otherSide(build);
  const moved = movedByHash(wanted[probe], probe, keys, place);
  return moved && joinedHere(join, { ...wanted, [probe]: moved });
}

/** Both sides by hash, where they are not yet. */
function byHash(join: Join, sides: Sides, pairs: readonly KeyPair[], place: Place): Fragment | undefined {
  const keys = hashOrder(sides, pairs);
  const moved = allOf((['left', 'right'] as const).map((side) => movedByHash(sides[side], side, keys, place)));
  const [left, right] = moved ?? [];
  return left && right && joinedHere(join, { left, right });
}

/** The pairs to hash by: those by which a side is divided already, in that order, or all. */
function hashOrder(sides: Sides, pairs: readonly KeyPair[]): readonly KeyPair[] {
  const [first, second]: readonly Side[] =
    sides.left.estimatedRows < sides.right.estimatedRows ? ['right', 'left'] : ['left', 'right'];
  return (
    matchHash(sides[first ?? 'left'], first ?? 'left', pairs) ??
    matchHash(sides[second ?? 'right'], second ?? 'right', pairs) ??
    pairs
  );
}

function movedByHash(rows: Fragment, side: Side, keys: readonly KeyPair[], place: Place): Fragment | undefined {
  const matched = matchHash(rows, side, keys);
  if (matched?.length === keys.length && matched.every((pair, index) => pair === keys[index])) return rows;
  const closed = closeByHash(rows, side, keys, place);
  return closed && place.cutter.read(closed, 'partition');
}

function closeByHash(rows: Fragment, side: Side, keys: readonly KeyPair[], { node, cutter }: Place) {
  return cutter.close(rows, node, side, { kind: 'partitioned', keys: keys.map((pair) => pair[side]) });
}

/** J3: when the rows of `build` are finished, only those of the other side are wanted that can match. */
function wantedBy(join: Join, sides: Sides, build: Side, stage: ClosedStage | undefined, cutter: Cutter): Sides {
  const probe = otherSide(build);
  if (!cutter.settings.isAdaptive || stage?.facts === undefined || !isDroppable(join.kind, probe)) return sides;
  return { ...sides, [probe]: wantRanges(sides[probe], join, probe, stage) };
}
