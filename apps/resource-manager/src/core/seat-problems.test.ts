import { nodeId } from '@tutti/base';
import { type SeatJudgement, seatSet } from '@tutti/resource-groups';
import { SEATS_CHANGE_MS, SEATS_START_MS, seatProblems, type SeatsSeen } from './seat-problems.js';

const setOf = (version: number, ...ids: string[]) => seatSet(version, ids.map(nodeId));
const calm: SeatJudgement = { contrary: [], changing: [], isHeldBack: false, hearsMajority: true, isIdle: false };
const seen = (judgement: Partial<SeatJudgement>, more: Partial<SeatsSeen> = {}): string[] =>
  seatProblems({
    ...{ seats: setOf(1, 'r1', 'r2', 'r3'), silent: [], runsMs: SEATS_START_MS, changingMs: 0 },
    judgement: { ...calm, ...judgement },
    ...more,
  });

it('a contradiction names both lists and versions, who must not deal, and what to do', () => {
  const contrary = [{ set: setOf(2, 'r4', 'r3'), nodeIds: [nodeId('r4'), nodeId('r3')] }];
  expect(seen({ contrary, isHeldBack: true })).toEqual([
    'r3, r4 have the seats r3, r4 (version 2), this one has r1, r2, r3 (version 1). Both could deal the same slots. This one ' +
      'deals nothing until that is mended: give all resource managers the same seats.ids, and change them by adding or ' +
      'taking out one seat at a time, with seats.version one greater each time; stop those that do not belong here',
  ]);
  expect(seen({ contrary }).join()).toContain('r3, r4 must not deal until that is mended');
});

it('a change of seats is told when it has taken longer than restarts do', () => {
  const changing = [{ set: setOf(2, 'r1', 'r2', 'r3', 'r4'), nodeIds: [nodeId('r4')] }];
  expect(seen({ changing }, { changingMs: SEATS_CHANGE_MS - 1 })).toEqual([]);
  expect(seen({ changing }, { changingMs: SEATS_CHANGE_MS })).toEqual([
    'r4 has the seats r1, r2, r3, r4 (version 2), this one has r1, r2, r3 (version 1) for 10 minutes. Finish the change: ' +
      'restart those that have the older list with the newer one',
  ]);
});

it('no majority is told with the seats that are not heard, and not while the cluster starts', () => {
  const silent = [nodeId('r3'), nodeId('r2')];
  expect(seen({ hearsMajority: false }, { silent, runsMs: SEATS_START_MS - 1 })).toEqual([]);
  expect(seen({ hearsMajority: false }, { silent })).toEqual([
    '2 of 3 seats are not heard (r2, r3): without a majority nobody deals slots. Start them, or correct seats.ids',
  ]);
});
