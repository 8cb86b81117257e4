import { FakeClock } from '@tutti/base/testing';
import { News } from './news.js';
import { tellNewest } from './tell-newest.js';

/** A peer that answers when it is told to. */
function setUp(overrides: { onAnswer?: (answer: number) => 'stop' | void } = {}) {
  const clock = new FakeClock();
  const news = new News(clock, 5);
  const heard: number[] = [];
  const wake: (() => void)[] = [];
  let state = 0;
  const stop = new AbortController();
  const told = tellNewest<number, number>(
    {
      open: async function* (requests, signal) {
        for await (const request of requests) {
          heard.push(request);
          await new Promise<void>((resolve, reject) => {
            wake.push(resolve);
            signal.addEventListener('abort', () => reject(signal.reason as Error));
          });
          yield request;
        }
      },
      message: () => state,
      onAnswer: overrides.onAnswer ?? (() => undefined),
      news,
      intervalMs: () => 1_000,
      answerTimeoutMs: 3_000,
      clock,
    },
    stop.signal,
  );
  const change = async (value: number) => {
    state = value;
    news.tell();
    await clock.advance(5);
  };
  const answer = async () => {
    wake.shift()?.();
    await clock.advance(0);
  };
  return { clock, heard, change, answer, stop, told };
}

describe('tellNewest', () => {
  it('sends at once, at news and after the interval; what changes while an answer is due is one message', async () => {
    const { clock, heard, change, answer, stop, told } = setUp();
    await clock.advance(0);
    expect(heard).toEqual([0]);
    await change(1);
    await change(2);
    expect(heard).toEqual([0]);
    await answer();
    expect(heard).toEqual([0, 2]);
    await answer();
    await clock.advance(999);
    expect(heard).toEqual([0, 2]);
    await clock.advance(1);
    expect(heard).toEqual([0, 2, 2]);
    stop.abort();
    await told;
  });

  it('gives up a peer that does not answer, and says so', async () => {
    const { clock, told } = setUp();
    const outcome = expect(told).rejects.toThrow('no answer within 3000 ms');
    await clock.advance(3_000);
    await outcome;
  });

  it('ends when the answer says stop', async () => {
    const { clock, answer, told } = setUp({ onAnswer: () => 'stop' });
    await clock.advance(0);
    await answer();
    await told;
  });
});
