import { nodeId } from '@tutti/base';
import { judgeSeats, type SeatReport, textOfSeats } from './seat-agreement.js';
import { seatSet, type SeatSet } from './seat-set.js';

type Side = SeatReport & { readonly seats: SeatSet };

const says = (id: string, incarnation: number, version: number, ...ids: string[]): Side => ({
  ...{ nodeId: nodeId(id), incarnation, seats: seatSet(version, ids.map(nodeId)), isIdle: true, isHeldBack: false },
});
const deciding = (side: Side): Side => ({ ...side, isIdle: false });

/** What one of them makes of what all of them say. */
const judge = (own: Side, all: readonly SeatReport[]) =>
  judgeSeats(
    { ...own, isReady: !own.isIdle, owns: !own.isIdle },
    all.filter(({ nodeId: other }) => other !== own.nodeId),
  );

/** Who is held back when each hears all. */
const heldBack = (...all: Side[]): string[] =>
  all.filter((own) => judge(own, all).isHeldBack).map(({ nodeId: id }) => id);

const THREE = ['r1', 'r2', 'r3'];
const three = THREE.map((id, index) => says(id, index + 1, 1, ...THREE)) as [Side, Side, Side];

it('the same seats in whatever order, one seat more or less, and no word at all contradict nobody (J1)', () => {
  const own = says('r1', 1, 2, ...THREE);
  const others = [
    says('r2', 1, 2, 'r3', 'r1', 'r2'),
    deciding(says('r3', 1, 1, 'r1', 'r2')),
    deciding(says('r4', 1, 3, ...THREE, 'r4')),
    deciding(says('r5', 1, 5, ...THREE)),
    { ...says('old', 1, 1, 'old'), isIdle: false, seats: undefined },
  ];
  const { contrary, changing, isHeldBack, hearsMajority } = judge(own, others);
  expect([contrary, isHeldBack, hearsMajority]).toEqual([[], false, true]);
  expect(changing.map(({ set }) => textOfSeats(set))).toEqual([
    'r1, r2 (version 1)',
    'r1, r2, r3, r4 (version 3)',
    'r1, r2, r3 (version 5)',
  ]);
});

it('the same version with other seats, two seats at a time, and another seat in place of one do (J1)', () => {
  for (const [version, ...ids] of [
    [1, 'r1', 'r2'],
    [2, 'r1'],
    [2, 'r1', 'r2', 'r4'],
    [2, ...THREE, 'r4', 'r5'],
  ] as const)
    expect(judge(three[0], [says('r9', 9, version, ...ids)]).contrary).toHaveLength(1);
});

it('three that each name only themselves: the one that started first begins, the others are held back (J3)', () => {
  const all = [says('r1', 12, 1, 'r1'), says('r2', 11, 1, 'r2'), says('r3', 13, 1, 'r3')];
  expect(heldBack(...all)).toEqual(['r1', 'r3']);
});

it('who has no majority of its seats does not keep others from theirs (J3)', () => {
  expect(heldBack(says('r1', 2, 1, 'r1'), says('r9', 1, 9, 'r9', 'x', 'y'))).toEqual(['r9']);
});

it('one with a list of its own waits for those that agree, though its version is greater (J3)', () => {
  expect(heldBack(three[0], three[1], says('r3', 1, 2, 'r3'))).toEqual(['r3']);
});

it('one with a wrong list that joins others disturbs nobody, though it would go first (J4)', () => {
  const alone = deciding(says('r1', 5, 1, 'r1'));
  expect(heldBack(alone, says('r2', 1, 7, 'r2'), says('r3', 1, 7, 'r2'))).toEqual(['r2', 'r3']);
});

it('of two sides that decide none may go on; where only one hears the other, that one gives way (J2)', () => {
  const stray = deciding(says('r9', 9, 1, 'r9'));
  expect(heldBack(...three.map(deciding), stray)).toEqual(['r1', 'r2', 'r3', 'r9']);
  expect(judge(deciding(three[0]), [stray]).isHeldBack).toBe(true);
  expect(judge(stray, []).isHeldBack).toBe(false);
});

it('a seat that is replaced by another one in one step, with restarts one by one: at every moment one list may decide', () => {
  const next = (id: string, incarnation: number) => says(id, incarnation, 2, 'r1', 'r2', 'r4');
  const [r1, r2, r3] = three.map(deciding) as [Side, Side, Side];
  expect(heldBack(r1, r2, r3, next('r4', 4))).toEqual(['r4']);
  expect(heldBack(r2, r3, next('r4', 4), next('r1', 5))).toEqual(['r4', 'r1']);
  // The last one of the old list has no majority: it decides nothing, and does not keep the others from it.
  const last = judge(r3, [next('r4', 4), next('r1', 5), next('r2', 6)]);
  expect([last.hearsMajority, judgeSeats({ ...r3, isReady: true, owns: false }, []).isIdle]).toEqual([false, true]);
  expect(heldBack(three[2], next('r4', 4), next('r1', 5), next('r2', 6))).toEqual(['r3']);
});

it('who may promise and hears no majority of its seats decides nothing', () => {
  const own = { ...three[0], isReady: true, owns: false };
  expect(judgeSeats(own, [])).toMatchObject({ isIdle: true, hearsMajority: false });
  expect(judgeSeats(own, [three[1]])).toMatchObject({ isIdle: false, hearsMajority: true });
  expect(judgeSeats({ ...own, isReady: false }, [three[1]])).toMatchObject({ isIdle: true, hearsMajority: true });
});
