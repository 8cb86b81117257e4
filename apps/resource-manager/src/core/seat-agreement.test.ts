import { nodeId } from '@tutti/base';
import { seatSet } from '@tutti/resource-groups';
import { judgeSeats, type ToldSeats } from './seat-agreement.js';

const told = (id: string, incarnation: number, version: number, ...ids: string[]): ToldSeats => ({
  nodeId: id,
  incarnation,
  seats: seatSet(version, ids.map(nodeId)),
});

/** Each of them judges by what all of them say. */
const heldBack = (...all: ToldSeats[]): string[] =>
  all
    .filter(
      (own) =>
        judgeSeats(
          own as Required<ToldSeats>,
          all.filter((other) => other !== own),
        ).isHeldBack,
    )
    .map((own) => own.nodeId);

it('nothing is wrong with the same seats in whatever order, with one seat more or less, and with those that say nothing', () => {
  const own = told('r1', 1, 2, 'r1', 'r2', 'r3') as Required<ToldSeats>;
  const others = [
    told('r2', 1, 2, 'r3', 'r1', 'r2'),
    told('r3', 1, 1, 'r1', 'r2'),
    told('r4', 1, 3, 'r1', 'r2', 'r3', 'r4'),
    { nodeId: 'old', incarnation: 1, seats: undefined },
  ];
  expect(judgeSeats(own, others)).toEqual({ problems: [], isHeldBack: false });
});

it('three that each name only themselves: the one that started first deals, the others are held back and say so', () => {
  const all = [told('r1', 12, 1, 'r1'), told('r2', 11, 1, 'r2'), told('r3', 13, 1, 'r3')];
  expect(heldBack(...all)).toEqual(['r1', 'r3']);
  const [own, ...others] = all as [Required<ToldSeats>, ...ToldSeats[]];
  expect(judgeSeats(own, others).problems).toEqual([
    'r2 has the seats r2 (version 1), this one has r1 (version 1). This one deals nothing until that is mended: give all ' +
      'resource managers the same seats.ids, and change them by adding or taking out one seat at a time, with seats.version ' +
      'one greater each time',
    expect.stringMatching(/^r3 has the seats r3/),
  ]);
});

it('one with a list and a version of its own is held back by those that agree, though its version is greater', () => {
  const all = [told('r1', 1, 1, 'r1', 'r2', 'r3'), told('r2', 1, 1, 'r1', 'r2', 'r3'), told('r3', 1, 2, 'r3')];
  expect(heldBack(...all)).toEqual(['r3']);
  expect(judgeSeats(all[0] as Required<ToldSeats>, all.slice(1)).problems).toEqual([
    expect.stringContaining('r3 has the seats r3 (version 2), this one has r1, r2, r3 (version 1). Those deal nothing'),
  ]);
});

it('a seat that is replaced by another one in one step: both lists could decide, so only one may', () => {
  const former = [1, 2, 3].map((number) => told(`r${number}`, number, 1, 'r1', 'r2', 'r3'));
  const stranger = told('r4', 4, 2, 'r1', 'r2', 'r4');
  expect(heldBack(...former, stranger)).toEqual(['r4']);
  // Half way through a rolling restart the new list is ahead.
  const next = [1, 2, 4].map((number) => told(`r${number}`, 10 + number, 2, 'r1', 'r2', 'r4'));
  expect(heldBack(...next, former[2] as ToldSeats)).toEqual(['r3']);
});
