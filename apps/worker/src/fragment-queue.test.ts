import fc from 'fast-check';
import { FragmentQueue } from './fragment-queue.js';

const shown = (effects: ReturnType<FragmentQueue['apply']>) =>
  effects.map((effect) => (effect.kind === 'refuse' ? effect.reason : `${effect.kind} ${effect.id}`));

function queue(options = { queuedMax: 4, fetchAhead: 2 }) {
  const machine = new FragmentQueue(options);
  const tell = (kind: 'asked' | 'fetched' | 'ended') => (id: string) => shown(machine.apply({ kind, id }));
  return { machine, ask: tell('asked'), fetched: tell('fetched'), end: tell('ended') };
}

test('Q1, Q3: inputs of the next ones are fetched while one runs, and not those of all', () => {
  const { ask, fetched, end } = queue();
  expect(ask('a')).toEqual(['fetch a']);
  expect(fetched('a')).toEqual(['run a']);
  expect(ask('b')).toEqual(['fetch b']);
  expect(ask('c')).toEqual(['fetch c']);
  expect(ask('d')).toEqual([]);
  expect(fetched('b')).toEqual([]);
  expect(end('a')).toEqual(['run b', 'fetch d']);
});

test('Q4: a fragment whose inputs are late lets others by', () => {
  const { ask, fetched } = queue();
  ask('a');
  ask('b');
  expect(fetched('b')).toEqual(['run b']);
  expect(fetched('a')).toEqual([]);
});

test('Q2: more than the queue holds, and what is in it, is refused', () => {
  const { ask, end, machine } = queue({ queuedMax: 2, fetchAhead: 1 });
  expect([ask('a'), ask('b'), ask('b'), ask('c')]).toEqual([['fetch a'], [], ['knownFragment'], ['queueFull']]);
  expect(end('a')).toEqual(['fetch b']);
  expect(machine.size).toBe(1);
  expect(ask('c')).toEqual([]);
});

test('Q1-Q5: in whatever order they come, fetch, end and are left, one runs at a time and all get their turn', () => {
  const choice = fc.record({ kind: fc.constantFrom('ask', 'fetched', 'end'), pick: fc.nat(99) });
  fc.assert(
    fc.property(fc.array(choice, { maxLength: 80 }), (choices) => {
      const { machine } = queue({ queuedMax: 5, fetchAhead: 2 });
      const phase = new Map<string, string>();
      let made = 0;
      const tell = (kind: 'asked' | 'fetched' | 'ended', id: string) => {
        for (const effect of machine.apply({ kind, id })) {
          if (effect.kind === 'refuse') phase.delete(id);
          else phase.set(effect.id, effect.kind);
        }
        const count = (wanted: string) => [...phase.values()].filter((of) => of === wanted).length;
        expect(count('run')).toBeLessThanOrEqual(1);
        expect(count('fetch') + count('ready')).toBeLessThanOrEqual(2);
        expect(phase.size).toBeLessThanOrEqual(6);
        expect(machine.size).toBe(phase.size);
      };
      const oneOf = (pick: number, wanted?: string) => {
        const ids = [...phase].filter(([, of]) => wanted === undefined || of === wanted).map(([id]) => id);
        return ids[pick % ids.length];
      };
      const take = (kind: string, pick: number) => {
        if (kind === 'ask') {
          const id = `f${made++}`;
          phase.set(id, 'wait');
          return tell('asked', id);
        }
        const id = oneOf(pick, kind === 'fetched' ? 'fetch' : undefined);
        if (id === undefined) return;
        if (kind === 'end') phase.delete(id);
        else phase.set(id, 'ready');
        tell(kind === 'end' ? 'ended' : 'fetched', id);
      };
      for (const { kind, pick } of choices) take(kind, pick);
      // From here all come to their end.
      for (let left = 100; phase.size > 0 && left > 0; left--) {
        const running = oneOf(0, 'run');
        if (running === undefined) take('fetched', 0);
        else {
          phase.delete(running);
          tell('ended', running);
        }
      }
      expect(phase.size).toBe(0);
    }),
  );
});
