import { Code } from '@connectrpc/connect';
import { seededRandom } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import { ConfigAccepted, ConfigError, HelpRequested } from './config.js';
import { aborted, every, explainEnd } from './lifecycle.js';
import { portTaken } from './listen.js';
import { readStream } from './read-stream.js';
import { TestLog } from './testing/test-log.js';

describe('every', () => {
  function start(run: (count: number) => void | Promise<void>, jitter = 0) {
    const clock = new FakeClock();
    const log = new TestLog();
    const stop = new AbortController();
    const at: number[] = [];
    const done = every({
      intervalMs: 1_000,
      jitter,
      clock,
      random: seededRandom(7),
      signal: stop.signal,
      log,
      run: () => {
        at.push(clock.now());
        return run(at.length);
      },
    });
    return { clock, log, stop, at, done };
  }

  test('runs after each interval until it is told to stop', async () => {
    const { clock, stop, at, done } = start(() => undefined);
    await clock.advance(3_500);
    stop.abort();
    await done;
    await clock.advance(5_000);
    expect(at).toEqual([1_000, 2_000, 3_000]);
  });

  test('goes on after a run that throws, and says so', async () => {
    const { clock, log, at } = start((count) => {
      if (count === 1) throw new Error('once');
    });
    await clock.advance(2_000);
    expect(at).toHaveLength(2);
    expect(log.events()).toEqual(['loop-failed']);
  });

  test('never runs twice at the same time', async () => {
    let finish: () => void = () => undefined;
    const { clock, at } = start(() => new Promise((resolve) => (finish = resolve)));
    await clock.advance(5_000);
    expect(at).toEqual([1_000]);
    finish();
    await clock.advance(1_000);
    expect(at).toEqual([1_000, 6_000]);
  });

  test('spreads its runs by the jitter', async () => {
    const { clock, at } = start(() => undefined, 0.2);
    await clock.advance(10_000);
    const gaps = at.map((ms, index) => ms - (at[index - 1] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(800);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1_200);
    expect(new Set(gaps).size).toBeGreaterThan(1);
  });
});

describe('readStream', () => {
  const numbers = (seen: AbortSignal[]) =>
    async function* (signal: AbortSignal) {
      seen.push(signal);
      for (let i = 0; ; i++) yield await Promise.resolve(i);
    };

  test('cancels its call when the loop is left, by break or by an error', async () => {
    const signals: AbortSignal[] = [];
    for await (const value of readStream(numbers(signals))) if (value === 2) break;
    await expect(
      (async () => {
        for await (const _ of readStream(numbers(signals))) throw new Error('mine');
      })(),
    ).rejects.toThrow('mine');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  test('passes on the abort of the outer signal, with its reason', async () => {
    const signals: AbortSignal[] = [];
    const outer = new AbortController();
    for await (const value of readStream(numbers(signals), outer.signal)) {
      if (value === 1) outer.abort('why');
      if (value === 2) break;
    }
    expect(signals[0]?.reason).toMatchObject({ code: Code.Canceled, rawMessage: 'why' });
    const late: AbortSignal[] = [];
    for await (const _ of readStream(numbers(late), outer.signal)) break;
    expect(late[0]?.aborted).toBe(true);
  });
});

test('aborted resolves when the signal aborts, and at once when it has', async () => {
  const controller = new AbortController();
  const waiting = aborted(controller.signal);
  controller.abort();
  await waiting;
  await aborted(controller.signal);
});

test('a program ends with a code and a text that fit the reason', () => {
  expect(explainEnd('tutti-worker', new HelpRequested('usage'))).toEqual({ exitCode: 0, text: 'usage' });
  expect(explainEnd('tutti-worker', new ConfigAccepted())).toEqual({
    exitCode: 0,
    text: 'tutti-worker: the configuration is right',
  });
  const wrong = explainEnd('tutti-worker', new ConfigError(['a is wrong', 'b is wrong']));
  expect(wrong).toEqual({
    exitCode: 2,
    text: 'tutti-worker: the configuration is wrong:\n  - a is wrong\n  - b is wrong\nTry tutti-worker --help',
  });
  const taken = explainEnd('tutti-worker', portTaken(9090, 'cluster.port', new Error('listen EADDRINUSE')));
  expect(taken).toEqual({ exitCode: 1, text: 'tutti-worker: port 9090 (cluster.port) is in use: listen EADDRINUSE' });
  expect(explainEnd('tutti-worker', new Error('boom')).text).toMatch(/^tutti-worker: Error: boom\n +at /);
});
