import { stackOf, translateStacksLate } from './stacks.js';

describe('stacks of errors', () => {
  const { prepareStackTrace } = Error;
  const listeners = process.listeners('uncaughtExceptionMonitor');
  afterEach(() => {
    Error.prepareStackTrace = prepareStackTrace;
    process.removeAllListeners('uncaughtExceptionMonitor');
    for (const listener of listeners) process.on('uncaughtExceptionMonitor', listener);
  });

  /** A map of one file, whose line 5 is made of line 12 of a.ts. */
  const findMap = (file: string) =>
    file !== 'file:///app/main.mjs'
      ? undefined
      : {
          findEntry: (line: number, column: number) =>
            line === 4 ? { originalSource: '../src/a.ts', originalLine: 11, originalColumn: column + 1 } : {},
        };

  test('name places in the sources when they are printed, where there is a map that knows them', () => {
    const error = Object.assign(new Error('broken: 7:8'), {
      stack: [
        'Error: broken: 7:8',
        '    at run (file:///app/main.mjs:5:10)',
        '    at file:///app/main.mjs:6:1',
        '    at other (/app/other.mjs:5:1)',
        '    at node:internal/process:1:2',
      ].join('\n'),
    });
    expect(stackOf(error, findMap).split('\n')).toEqual([
      'Error: broken: 7:8',
      '    at run (../src/a.ts:12:11)',
      '    at file:///app/main.mjs:6:1',
      '    at other (/app/other.mjs:5:1)',
      '    at node:internal/process:1:2',
    ]);
  });

  test('are not translated when they are only looked at, and have the usual form', () => {
    translateStacksLate();
    const lines = new TypeError('odd').stack?.split('\n') ?? [];
    expect(lines[0]).toBe('TypeError: odd');
    expect(lines[1]).toMatch(/^ {4}at .*stacks\.test\.(ts|js):\d+:\d+\)?$/);
  });

  test('of errors without a stack are their messages', () => {
    expect(stackOf(Object.assign(new Error('bare'), { stack: undefined }))).toBe('bare');
  });
});
