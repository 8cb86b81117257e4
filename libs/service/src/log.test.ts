import { PassThrough } from 'node:stream';
import { createLog } from './log.js';

function logTo(options: { level?: string; format?: 'auto' | 'json' | 'text'; isTTY?: boolean } = {}) {
  const stream = Object.assign(new PassThrough(), { isTTY: options.isTTY ?? false });
  const log = createLog({
    level: options.level ?? 'info',
    format: options.format ?? 'auto',
    fields: { node: 'n1', role: 'worker' },
    stream,
  });
  return { log, lines: () => (String(stream.read() ?? '').match(/.+/g) ?? []) as string[] };
}

describe('createLog', () => {
  test('writes one JSON object per line: time, level, event, then the fields', () => {
    const { log, lines } = logTo();
    log.info('serving', { clusterPort: 9090 });
    log.child({ component: 'drain' }).warn('slow', { durationMs: 5, level: 'mine', message: 'kept', splat: [1] });
    const [first, second] = lines().map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(Object.keys(first ?? {})).toEqual(['time', 'level', 'event', 'node', 'role', 'clusterPort']);
    expect(first).toMatchObject({ level: 'info', event: 'serving', node: 'n1', role: 'worker', clusterPort: 9090 });
    expect(second).toMatchObject({ event: 'slow', component: 'drain', message: 'kept', durationMs: 5 });
  });

  test('shows errors with their stack and cause, and numbers that JSON does not have', () => {
    const { log, lines } = logTo();
    log.error('call-failed', { error: new Error('outer', { cause: new Error('inner') }), incarnation: 5n });
    const [line] = lines().map((text) => JSON.parse(text) as Record<string, unknown>);
    expect(line).toMatchObject({
      error: { name: 'Error', message: 'outer', cause: { message: 'inner' } },
      incarnation: '5',
    });
    expect((line?.['error'] as { stack: string }).stack).toContain('log.test');
  });

  test('leaves out what is below the level', () => {
    const { log, lines } = logTo({ level: 'warn' });
    expect(log.isDebugEnabled()).toBe(false);
    log.debug('a');
    log.info('b');
    log.warn('c');
    expect(lines()).toHaveLength(1);
    const debugging = logTo({ level: 'debug' });
    expect(debugging.log.isDebugEnabled()).toBe(true);
    debugging.log.debug('a');
    expect(debugging.lines()).toHaveLength(1);
  });

  test('writes text to a terminal: one line, quoted where needed', () => {
    const { log, lines } = logTo({ isTTY: true });
    log.info('serving', { address: '127.0.0.1:9090', why: 'two words', ports: [1, 2] });
    const [line] = lines();
    expect(line).toContain('serving node=n1 role=worker address=127.0.0.1:9090 why="two words" ports=[1,2]');
    expect(line).toContain('\x1b[36minfo');
    const plain = logTo({ format: 'text' });
    plain.log.info('serving');
    expect(plain.lines()[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}serving node=n1/);
  });
});
