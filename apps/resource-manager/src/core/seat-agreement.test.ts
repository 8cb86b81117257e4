import { nodeId } from '@tutti/base';
import { seatSet } from '@tutti/resource-groups';
import { seatProblems } from './seat-agreement.js';
import { seatsOf } from './seat-config.js';

const seats = (version: number, ...ids: string[]) => seatSet(version, ids.map(nodeId));

it('nothing is wrong with the same seats, in whatever order, nor with those of another version', () => {
  const own = seats(2, 'r1', 'r2', 'r3');
  const told = [
    { nodeId: 'r2', seats: seats(2, 'r3', 'r1', 'r2') },
    { nodeId: 'r3', seats: seats(1, 'r1', 'r2') },
    { nodeId: 'old', seats: undefined },
  ];
  expect(seatProblems(own, false, told)).toEqual([]);
  expect(seatProblems(own, true, [])).toEqual([]);
});

it('other seats of the same version are told with both lists and what to do', () => {
  const told = [{ nodeId: 'r2', seats: seats(1, 'r2', 'r4') }];
  expect(seatProblems(seats(1, 'r1', 'r2'), false, told)).toEqual([
    'r2 has other seats of the same version 1: r2, r4 there, r1, r2 here. Give all resource managers the same seats.ids, ' +
      'and a greater seats.version with each change',
  ]);
});

it('two resource managers without seats would each deal everything: that is told', () => {
  const alone = seatsOf({ ids: [], version: 1, firstStart: false }, nodeId('r1'));
  expect(alone.seats).toEqual(['r1']);
  expect(seatProblems(alone, true, [{ nodeId: 'r2', seats: seats(1, 'r2') }])).toEqual([
    'r2 is a resource manager too, but this one deals all slots alone: set seats.ids to the node ids of all resource ' +
      'managers, the same everywhere',
  ]);
});
