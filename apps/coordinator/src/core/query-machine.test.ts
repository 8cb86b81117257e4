import { join } from 'node:path';
import * as fc from 'fast-check';
import { instant } from '@tutti/base';
import { replayTranscript } from '@tutti/base/testing';
import { failure, isEnd, queryStates } from './query.js';
import { type QueryEvent, QueryMachine } from './query-machine.js';

/** Reads "KIND [at=MS] [ARG]" as an event. */
function eventOf(kind: string, arg: string): QueryEvent {
  switch (kind) {
    case 'groupChosen':
      return { kind, group: arg };
    case 'admitted':
      return { kind, workersActive: arg === 'workersActive' };
    case 'failed':
    case 'canceled':
      return { kind, failure: failure(arg, '') };
    default:
      return { kind } as QueryEvent;
  }
}

function replay() {
  let machine = new QueryMachine(instant(0));
  return (commands: string): string =>
    commands
      .split('\n')
      .map((command) => {
        const [kind = '', at = '', arg = ''] = command.split(' ');
        const now = instant(Number(at.replace('at=', '')));
        if (kind === 'created') {
          machine = new QueryMachine(now);
          return machine.state;
        }
        try {
          const changed = machine.apply(eventOf(kind, arg), now);
          const why = machine.failure ? ` ${machine.failure.reason}` : '';
          const times = `elapsed=${machine.elapsedMs(now)} queued=${machine.queuedMs(now)}`;
          return changed ? `${machine.state}${why} ${times}` : `unchanged: ${machine.state}${why}`;
        } catch (error) {
          return `bug: ${(error as Error).message}`;
        }
      })
      .join('\n');
}

test('the lives of queries', () => {
  const { expected, actual } = replayTranscript(join(__dirname, '../testdata/query-machine.txt'), replay());
  expect(actual).toBe(expected);
});

const events: fc.Arbitrary<QueryEvent> = fc.oneof(
  fc.constant<QueryEvent>({ kind: 'groupChosen', group: 'g' }),
  fc.boolean().map<QueryEvent>((workersActive) => ({ kind: 'admitted', workersActive })),
  fc
    .constantFrom(
      'requeued' as const,
      'workersFound' as const,
      'placing' as const,
      'running' as const,
      'tasksEnded' as const,
      'delivered' as const,
    )
    .map<QueryEvent>((kind) => ({ kind })),
  fc
    .constantFrom('failed' as const, 'canceled' as const)
    .map<QueryEvent>((kind) => ({ kind, failure: failure('X', '') })),
);

test('M1-M4 hold whatever happens in whatever order', () => {
  fc.assert(
    fc.property(fc.array(events, { maxLength: 30 }), (sequence) => {
      const machine = new QueryMachine(instant(0));
      let now = 0;
      for (const event of sequence) {
        const before = { state: machine.state, queuedMs: machine.queuedMs(instant(now)), failure: machine.failure };
        try {
          machine.apply(event, instant(++now));
        } catch {
          expect(machine.state).toBe(before.state); // A refused event changes nothing.
        }
        const isPast = queryStates.indexOf(before.state) >= queryStates.indexOf('finishing');
        if (event.kind === 'requeued' && machine.state !== before.state)
          expect([isPast, machine.state]).toEqual([false, 'queued']); // M1
        else expect(queryStates.indexOf(machine.state)).toBeGreaterThanOrEqual(queryStates.indexOf(before.state)); // M1
        if (isEnd(before.state)) expect([machine.state, machine.failure]).toEqual([before.state, before.failure]); // M2
        expect(machine.failure !== undefined).toBe(machine.state === 'failed' || machine.state === 'canceled'); // M3
        expect(machine.queuedMs(instant(now))).toBeGreaterThanOrEqual(before.queuedMs); // M4
      }
    }),
  );
});
