// What the kinds of joins allow.
import { unreachable } from '@tutti/base';
import type { JoinKind } from '../plan/plan.js';

export type Side = 'left' | 'right';

export const otherSide = (side: Side): Side => (side === 'left' ? 'right' : 'left');

/** Sides of which every task may have all rows while the other side is divided: no row is given for lack of a match there. */
export function replicableSides(kind: JoinKind): readonly Side[] {
  switch (kind) {
    case 'inner':
      return ['left', 'right'];
    case 'left':
    case 'semi':
    case 'anti':
    case 'mark':
    case 'single':
      return ['right'];
    case 'right':
    case 'right_semi':
    case 'right_anti':
      return ['left'];
    case 'full':
      return [];
    default:
      return unreachable(kind);
  }
}

/** Whether rows of a side without a match have no effect, so that they may be dropped before. */
export function isDroppable(kind: JoinKind, side: Side): boolean {
  switch (kind) {
    case 'inner':
      return true;
    case 'left':
    case 'semi':
    case 'anti':
    case 'single':
      return side === 'right' || kind === 'semi';
    case 'right':
    case 'right_semi':
    case 'right_anti':
      return side === 'left' || kind === 'right_semi';
    case 'mark': // A NULL on the right side changes the answer for every row.
    case 'full':
      return false;
    default:
      return unreachable(kind);
  }
}

/** Sides whose rows appear at most as they are, never with NULLs instead: columns of these keep what is known of them. */
export function keptSides(kind: JoinKind): readonly Side[] {
  return kind === 'inner' ? ['left', 'right'] : replicableSides(kind).map(otherSide);
}
