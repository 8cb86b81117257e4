import { FakeClock } from '@tutti/base/testing';
import {
  CLOSE_AFTER_MS,
  FINISHED_MAX,
  REFILL_AFTER_MS,
  type SpareDatabase,
  SpareDatabases,
  SPARES_MAX,
} from './spare-databases.js';

class Database implements SpareDatabase {
  holdsMuch = false;
  isClosed = false;

  constructor(readonly number: number) {}

  close(): void {
    expect(this.isClosed).toBe(false);
    this.isClosed = true;
  }
}

/** Databases that are opened when the test says so. */
function executor() {
  const clock = new FakeClock();
  const told: number[] = [];
  const failures: unknown[] = [];
  const opening: { resolve: (database: Database) => void; reject: (error: Error) => void }[] = [];
  let count = 0;
  const spares = new SpareDatabases<Database>({
    open: () => new Promise((resolve, reject) => opening.push({ resolve, reject })),
    clock,
    opened: (spare) => told.push(spare),
    failed: (error) => failures.push(error),
  });
  const openOne = async () => {
    opening.shift()?.resolve(new Database(++count));
    await clock.advance(0);
  };
  const openAll = async () => {
    while (opening.length > 0) await openOne();
  };
  const take = (): Database => {
    const database = spares.take();
    if (database === undefined) throw new Error('none is left');
    return database;
  };
  return { clock, told, failures, opening, spares, openOne, openAll, take };
}

async function full() {
  const all = executor();
  all.spares.fill();
  await all.openAll();
  return all;
}

test('several databases are opened ahead, one at a time, and each is told of (D3)', async () => {
  const { spares, told, opening, openOne, openAll } = executor();
  expect(spares.take()).toBeUndefined();
  spares.fill();
  spares.fill();
  expect(opening).toHaveLength(1);
  await openOne();
  expect([spares.count, opening.length]).toEqual([1, 1]);
  await openAll();
  expect(told).toEqual([1, 2, 3, 4]);
  expect(spares.count).toBe(SPARES_MAX);
});

test('no task gets the database of another one (D1)', async () => {
  const { spares, take, openAll, clock } = await full();
  const seen = new Set<number>();
  for (let task = 0; task < 3 * SPARES_MAX; task++) {
    const database = take();
    expect(database.isClosed).toBe(false);
    expect(seen.has(database.number)).toBe(false);
    seen.add(database.number);
    spares.finish(database);
    await openAll();
    if (task % 3 === 0) await clock.advance(REFILL_AFTER_MS);
    await openAll();
  }
});

test('a finished database is closed a little later, also while others run (D2)', async () => {
  const { spares, take, clock } = await full();
  const first = take();
  spares.finish(first);
  expect(first.isClosed).toBe(false);
  await clock.advance(CLOSE_AFTER_MS - 1);
  take();
  expect(first.isClosed).toBe(false);
  await clock.advance(1);
  expect(first.isClosed).toBe(true);
});

test('one that may hold much is closed at once (D2)', async () => {
  const { spares, take, clock } = await full();
  const large = take();
  large.holdsMuch = true;
  spares.finish(large);
  expect(large.isClosed).toBe(true);
  await clock.advance(10 * CLOSE_AFTER_MS); // Database.close() would complain.
});

test('of many tasks in a short time few databases stay open (D3)', async () => {
  const { spares, take, openAll } = await full();
  const finished: Database[] = [];
  for (let task = 0; task < 3 * FINISHED_MAX; task++) {
    finished.push(take());
    spares.finish(finished.at(-1) as Database);
    await openAll();
  }
  expect(finished.filter(({ isClosed }) => !isClosed)).toEqual(finished.slice(-FINISHED_MAX));
});

describe('opening anew (D4)', () => {
  test('waits until no task has come for a while', async () => {
    const { spares, take, opening, openAll, clock } = await full();
    spares.finish(take());
    await clock.advance(REFILL_AFTER_MS - 1);
    const next = take();
    await clock.advance(10 * REFILL_AFTER_MS);
    expect(opening).toHaveLength(0);
    spares.finish(next);
    await clock.advance(REFILL_AFTER_MS);
    expect(opening).toHaveLength(1);
    await openAll();
    expect(spares.count).toBe(SPARES_MAX);
  });

  test('begins at once when none is left, and goes on until there are enough', async () => {
    const { spares, take, opening, openAll } = await full();
    for (let task = 0; task < SPARES_MAX; task++) {
      expect(opening).toHaveLength(0);
      spares.finish(take());
    }
    expect(opening).toHaveLength(1);
    await openAll();
    expect(spares.count).toBe(SPARES_MAX);
  });

  test('stops for a task after the one that was begun', async () => {
    const { spares, take, opening, openOne, openAll, clock } = executor();
    spares.fill();
    await openOne();
    const database = take();
    await openOne();
    expect([spares.count, opening.length]).toEqual([1, 0]);
    spares.finish(database);
    await clock.advance(REFILL_AFTER_MS);
    await openAll();
    expect(spares.count).toBe(SPARES_MAX);
  });
});

describe('a database that cannot be opened', () => {
  test('is a failure when none is left', async () => {
    const { spares, opening, failures, clock } = executor();
    spares.fill();
    opening.shift()?.reject(new Error('no memory'));
    await clock.advance(0);
    expect(failures).toEqual([new Error('no memory')]);
  });

  test('harms no task while there are others, and is tried again', async () => {
    const { spares, take, opening, openOne, openAll, failures, clock } = executor();
    spares.fill();
    await openOne();
    const database = take();
    opening.shift()?.reject(new Error('no memory'));
    await clock.advance(0);
    expect(failures).toEqual([]);
    spares.finish(database);
    await openAll();
    expect(spares.count).toBe(SPARES_MAX);
  });
});
