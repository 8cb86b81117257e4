import { FakeClock } from '@tutti/base/testing';
import { TestLog } from '@tutti/service/testing';
import { DeskLog } from './desk-log.js';

it('what happens to many shards at about the same time is one line, and what is wrong is told at once', async () => {
  const [clock, log] = [new FakeClock(), new TestLog()];
  const desk = new DeskLog(log, clock);
  const lines = () => log.lines.splice(0).map(({ level, event, fields }) => [level, event, fields]);
  for (const shard of [3, 7]) desk.note({ kind: 'acquired', shard, epoch: 5, knows: 'copies', learnMs: 0 });
  desk.note({ kind: 'lost', shard: 9, epoch: 4, reason: 'resigned' });
  desk.note({ kind: 'wroteOff', shard: 3, what: 'worker w1', queries: 2 });
  expect(lines()).toEqual([
    ['warn', 'queries-written-off', expect.objectContaining({ shard: 3, what: 'worker w1', queries: 2 })],
  ]);
  await clock.advance(100);
  desk.note({ kind: 'acquired', shard: 1, epoch: 5, knows: 'copies', learnMs: 0 });
  desk.note({ kind: 'acquired', shard: 2, epoch: 5, knows: 'nothing', learnMs: 10_500 });
  await clock.advance(100);
  expect(lines()).toEqual([
    ['info', 'shards-acquired', { knows: 'copies', shards: '3 7 1' }],
    ['info', 'shards-lost', { reason: 'resigned', shards: '9' }],
    ['info', 'shards-acquired', { knows: 'nothing', shards: '2' }],
  ]);
  desk.note({ kind: 'learned', shard: 2, epoch: 5 });
  await clock.advance(200);
  expect(lines()).toEqual([['info', 'shards-learned', { shards: '2' }]]);
});
