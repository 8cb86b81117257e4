import { FakeClock } from '@tutti/base/testing';
import { AddressWatcher, hostAndPort, isAddressSpec } from './addresses.js';
import { TestLog } from './testing/test-log.js';

const INTERVAL_MS = 5_000;

function watch(specs: string[], answers: Record<string, () => string[]> = {}) {
  const clock = new FakeClock();
  const log = new TestLog();
  const heard: string[][] = [];
  const watcher = new AddressWatcher({
    specs,
    resolveIntervalMs: INTERVAL_MS,
    resolve: (name) => {
      const answer = answers[name];
      return answer === undefined ? Promise.reject(new Error('ENOTFOUND')) : Promise.resolve().then(answer);
    },
    clock,
    log,
  });
  watcher.onChange((addresses) => heard.push([...addresses]));
  const stop = new AbortController();
  watcher.start(stop.signal);
  return { clock, log, heard, watcher, stop };
}

describe('AddressWatcher', () => {
  test('literal addresses are known at once, and never change (A1)', async () => {
    const { heard, watcher, clock } = watch(['a:1', 'b:2']);
    await clock.advance(10 * INTERVAL_MS);
    expect(heard).toEqual([['a:1', 'b:2']]);
    expect([...watcher.addresses()]).toEqual(['a:1', 'b:2']);
  });

  test('a DNS name stands for all its addresses, resolved again and again', async () => {
    let answer = ['10.0.0.1', '10.0.0.2'];
    const { heard, clock } = watch(['dns:managers:9090'], { managers: () => answer });
    await clock.advance(0);
    expect(heard).toEqual([['10.0.0.1:9090', '10.0.0.2:9090']]);
    await clock.advance(INTERVAL_MS); // The same answer is no news (A3).
    answer = ['10.0.0.2', 'fd00::3'];
    await clock.advance(INTERVAL_MS);
    expect(heard).toEqual([
      ['10.0.0.1:9090', '10.0.0.2:9090'],
      ['10.0.0.2:9090', '[fd00::3]:9090'],
    ]);
  });

  test('the last good answer stays while DNS fails or answers nothing (A2)', async () => {
    let fails: 'no' | 'throws' | 'empty' = 'no';
    const { heard, clock, log, watcher } = watch(['x:1', 'dns:managers:9090'], {
      managers: () => {
        if (fails === 'throws') throw new Error('SERVFAIL');
        return fails === 'empty' ? [] : ['10.0.0.1'];
      },
    });
    await clock.advance(0);
    fails = 'throws';
    await clock.advance(INTERVAL_MS);
    fails = 'empty';
    await clock.advance(INTERVAL_MS);
    expect([...watcher.addresses()]).toEqual(['x:1', '10.0.0.1:9090']);
    expect(heard).toEqual([['x:1'], ['x:1', '10.0.0.1:9090']]);
    expect(log.events()).toEqual(['dns-failed', 'dns-failed']);
    // Told once, not at every look; and when it is over.
    await clock.advance(5 * INTERVAL_MS);
    fails = 'no';
    await clock.advance(INTERVAL_MS);
    expect(log.events()).toEqual(['dns-failed', 'dns-failed', 'dns-resolved']);
  });

  test('one name that fails holds back no other', async () => {
    const { watcher, clock } = watch(['dns:missing:1', 'dns:managers:2'], { managers: () => ['10.0.0.1'] });
    await clock.advance(0);
    expect([...watcher.addresses()]).toEqual(['10.0.0.1:2']);
  });

  test('stops when its signal aborts', async () => {
    let asked = 0;
    const { clock, stop } = watch(['dns:managers:1'], { managers: () => [String(asked++)] });
    await clock.advance(0);
    stop.abort();
    await clock.advance(10 * INTERVAL_MS);
    expect(asked).toBe(1);
  });
});

test.each([
  ['host:9090', true],
  ['dns:managers.default.svc:9090', true],
  ['10.0.0.1:9090', true],
  ['[fd00::1]:9090', true],
  ['host', false],
  ['host:port', false],
  ['http://host:9090', false],
  ['dns:name', false],
])('%s is an address spec: %s', (spec, expected) => {
  expect(isAddressSpec(spec)).toBe(expected);
});

test('IPv6 addresses get brackets', () => {
  expect([hostAndPort('a', 1), hostAndPort('fd00::1', 1), hostAndPort('[fd00::1]', 1)]).toEqual([
    'a:1',
    '[fd00::1]:1',
    '[fd00::1]:1',
  ]);
});
