import { queryId } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import { LiveQuery } from './live-query.js';
import { aSession, noLimits } from './testing/sample-query.js';
import { UseNews } from './use-news.js';

test('what queries use is told ten times a second at most, and at their end at once', async () => {
  const clock = new FakeClock();
  const told: string[] = [];
  const news = new UseNews(clock, ({ queryId: id, use }) => told.push(`${clock.now()} ${id} ${use.cpuMs}`));
  const queryOf = (id: string) =>
    new LiveQuery({
      queryId: queryId(id),
      statement: '',
      session: aSession,
      limits: noLimits,
      bufferBytesMax: 1,
      clock,
      onChange: () => {},
      onUse: (query) => news.onUse(query),
    });
  const [running, waiting] = [queryOf('running'), queryOf('waiting')];
  news.watch(running);
  for (let n = 1; n <= 25; n++) {
    running.using({ cpuMs: n });
    waiting.using({ cpuMs: n });
    await clock.advance(10);
  }
  expect(told).toEqual(['100 running 10', '200 running 20']);
  running.using({ cpuMs: 99 });
  news.end(running);
  running.using({ cpuMs: 100 });
  await clock.advance(1_000);
  expect(told.slice(2)).toEqual(['250 running 99']);
});
