import * as fc from 'fast-check';
import { type CopyEntry, type CopySet, CopyStore, mergeCopies } from './copy-store.js';

const entry = (key: string, epoch: number, seq: number, text: string | undefined = 'x'): CopyEntry => ({
  ...{ key, epoch, seq, payload: text === undefined ? undefined : Buffer.from(text) },
});
const removal = (key: string, epoch: number, seq: number): CopyEntry => ({ key, epoch, seq, payload: undefined });
const told = ({ base, entries }: CopySet): string =>
  `${base.epoch}.${base.seq}: ${entries
    .map(({ key, epoch, seq, payload }) => `${key}@${epoch}.${seq}${payload ? '' : ' gone'}`)
    .sort()
    .join(', ')}`;

const anyEntry = fc
  .tuple(
    fc.constantFrom('k1', 'k2', 'k3'),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 1, max: 5 }),
    fc.boolean(),
  )
  .map(([key, epoch, seq, isThere]) => (isThere ? entry(key, epoch, seq) : removal(key, epoch, seq)));
/** One stamp has one entry, as an owner gives each once. */
const anyEntries = fc.uniqueArray(anyEntry, { selector: ({ epoch, seq }) => `${epoch}.${seq}` });

describe('the copies that a seat keeps', () => {
  it('are the same in whatever order they come, and however often (C1)', () => {
    fc.assert(
      fc.property(anyEntries, fc.infiniteStream(fc.nat()), (entries, chance) => {
        const [inOrder, shuffled] = [new CopyStore(), new CopyStore()];
        inOrder.put(entries);
        const mixed = [...entries, ...entries].map((one) => ({ one, at: chance.next().value ?? 0 }));
        for (const { one } of mixed.sort((a, b) => a.at - b.at)) shuffled.put([one]);
        expect(told(shuffled.all())).toBe(told(inOrder.all()));
      }),
    );
  });

  it('are merged to the newest of each, whoever keeps it', () => {
    const one = { base: { epoch: 0, seq: 0 }, entries: [entry('k1', 2, 1), entry('k2', 2, 2)] };
    const other = { base: { epoch: 0, seq: 0 }, entries: [entry('k1', 1, 9), entry('k2', 3, 1), entry('k3', 1, 1)] };
    expect(told(mergeCopies([one, other]))).toBe('0.0: k1@2.1, k2@3.1, k3@1.1');
  });

  it('do not come back when they were taken out of a complete ledger, though another seat still has them (C2)', () => {
    const [informed, late] = [new CopyStore(), new CopyStore()];
    for (const store of [informed, late]) store.put([entry('k1', 1, 1), entry('k2', 1, 2)]);
    expect(informed.replace({ base: { epoch: 1, seq: 5 }, entries: [entry('k2', 1, 4)] })).toBe(true);
    expect(told(mergeCopies([late.all(), informed.all()]))).toBe('1.5: k2@1.4');
    informed.put([entry('k1', 1, 3)]);
    expect(told(informed.all())).toBe('1.5: k2@1.4');
  });

  it('keep what is newer than a complete ledger that comes late', () => {
    const store = new CopyStore();
    store.put([entry('k1', 1, 7), entry('k2', 1, 2)]);
    store.replace({ base: { epoch: 1, seq: 5 }, entries: [entry('k2', 1, 2)] });
    store.replace({ base: { epoch: 1, seq: 3 }, entries: [] });
    expect(told(store.all())).toBe('1.5: k1@1.7, k2@1.2');
  });

  it('forget what was taken out once the ledger is known to be complete', () => {
    const store = new CopyStore();
    store.put([entry('k1', 1, 1), removal('k2', 1, 2)]);
    store.complete({ epoch: 1, seq: 2 });
    expect(told(store.all())).toBe('1.2: k1@1.1');
  });

  it('are refused whole when they do not fit, and then nothing has changed (C3)', () => {
    const store = new CopyStore({ entriesMax: 2, bytesMax: 60 });
    expect(store.put([entry('k1', 1, 1), entry('k2', 1, 2)])).toBe(true);
    expect(store.put([entry('k2', 1, 3), entry('k3', 1, 4)])).toBe(false);
    expect(store.put([entry('k2', 1, 3, 'x'.repeat(40))])).toBe(false);
    expect(store.replace({ base: { epoch: 2, seq: 0 }, entries: ['a', 'b', 'c'].map((k) => entry(k, 1, 1)) })).toBe(
      false,
    );
    expect(told(store.all())).toBe('0.0: k1@1.1, k2@1.2');
    expect(store.put([entry('k2', 1, 3, 'xy')])).toBe(true);
  });
});
