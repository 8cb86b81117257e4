import { readDuckdbError } from './duckdb-error.js';
import { CONNECTION_SETTINGS, openInstance } from './open-instance.js';
import { stageError } from './stage-failure.js';

const context = {
  memoryLimitBytes: 1,
  spillLimitBytes: 1,
  spillDirectory: '/spill',
  exchangeDirectory: '/dev',
  inputs: ['/exchange/in/data_0.parquet'],
  tables: [],
};

/** What the engine throws for a statement. */
async function thrownBy(sql: string): Promise<unknown> {
  const instance = await openInstance();
  const connection = await instance.connect();
  try {
    await connection.run(CONNECTION_SETTINGS);
    await connection.run(sql);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

test('a full disk is told as what it is', async () => {
  const error = await thrownBy("COPY (SELECT i FROM range(1000000) t(i)) TO '/dev/full' (FORMAT parquet)");
  expect(stageError(readDuckdbError(error), context)).toMatchObject({ reason: 'DISK_FULL', retriable: true });
});

test('exchange files that cannot be read are no broken tables of the user', async () => {
  const error = await thrownBy("SELECT * FROM read_parquet('/exchange/in/data_0.parquet')");
  expect(stageError(readDuckdbError(error), context)).toMatchObject({
    reason: 'INTERNAL_ERROR',
    message: expect.stringMatching(/earlier stage.*data_0\.parquet/),
    retriable: true,
  });
});

test('positions are those of a text that nobody wrote, and are not told', async () => {
  const error = readDuckdbError(await thrownBy("SELECT ('x' || i)::INTEGER FROM range(3) t(i)"));
  expect(error.position).toBeDefined();
  const told = stageError(error, context);
  expect(told).toMatchObject({ reason: 'QUERY_FAILED' });
  expect(told.position).toBeUndefined();
});
