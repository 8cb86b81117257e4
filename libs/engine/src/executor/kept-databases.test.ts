import { FakeClock } from '@tutti/base/testing';
import {
  FILES_MAX,
  KEEP_MS,
  KEPT_MAX,
  type KeptDatabase,
  USES_MAX,
  KeptDatabases,
  type DatabaseNeeds,
} from './kept-databases.js';

class Database implements KeptDatabase {
  isClosed = false;

  constructor(readonly lockedTo: DatabaseNeeds) {}

  close(): void {
    expect(this.isClosed).toBe(false);
    this.isClosed = true;
  }
}

const needs = (files: string[], limits = '1 GiB'): DatabaseNeeds => ({ equal: limits, files });

function executor() {
  const clock = new FakeClock();
  return { clock, databases: new KeptDatabases<Database>(clock) };
}

test('the next session with the same limits and files gets the database of the last one, once (K2)', () => {
  const { databases } = executor();
  expect(databases.take(needs(['a', 'b']))).toBeUndefined();
  const database = new Database(needs(['a', 'b']));
  databases.keep(database);
  expect(databases.take(needs(['b']))).toBe(database);
  expect(databases.take(needs(['b']))).toBeUndefined();
});

test('other limits, or a file that it may not open: a session gets none that is kept (K2)', () => {
  const { databases } = executor();
  const database = new Database(needs(['a']));
  databases.keep(database);
  expect(databases.take(needs(['a'], '2 GiB'))).toBeUndefined();
  expect(databases.take(needs(['a', 'b']))).toBeUndefined();
  expect(databases.take(undefined)).toBeUndefined();
  expect(databases.count).toBe(1);
});

test('a new database may open what the last sessions had, so that it does for all of them', () => {
  const { databases } = executor();
  databases.take(needs(['a', 'b']));
  databases.take(needs(['c']));
  const database = new Database(needs(databases.filesFor(['c'])));
  databases.keep(database);
  expect(database.lockedTo.files).toEqual(['c', 'b', 'a']);
  expect(databases.take(needs(['a', 'c']))).toBe(database);
});

test('what a new database may open is bounded, but not what its own session needs', () => {
  const { databases } = executor();
  const many = Array.from({ length: FILES_MAX + 5 }, (_, i) => `f${i}`);
  databases.take(needs(['old']));
  databases.take(needs(many));
  expect(databases.filesFor(many)).toEqual(many);
  const few = databases.filesFor(['new']);
  expect(few).toHaveLength(FILES_MAX);
  expect(few.slice(0, 2)).toEqual(['new', `f${FILES_MAX + 4}`]);
  expect(few).not.toContain('old');
});

test('one that no session had for a while is closed, and so is the oldest of too many (K3)', async () => {
  const { clock, databases } = executor();
  const all = Array.from({ length: KEPT_MAX + 1 }, (_, i) => new Database(needs([`${i}`])));
  for (const database of all) databases.keep(database);
  expect(all.map(({ isClosed }) => isClosed)).toEqual([true, ...Array<boolean>(KEPT_MAX).fill(false)]);
  await clock.advance(KEEP_MS - 1);
  const used = databases.take(needs(['1']));
  expect(used).toBe(all[1]);
  await clock.advance(1);
  expect(databases.count).toBe(0);
  expect(used?.isClosed).toBe(false);
});

test('after many sessions a database is closed: the engine remembers each file that it has read (K3)', () => {
  const { databases } = executor();
  const database = new Database(needs(['a']));
  for (let session = 1; session < USES_MAX; session++) {
    databases.keep(database);
    expect(databases.take(needs(['a']))).toBe(database);
  }
  databases.keep(database);
  expect(database.isClosed).toBe(true);
  expect(databases.count).toBe(0);
});
