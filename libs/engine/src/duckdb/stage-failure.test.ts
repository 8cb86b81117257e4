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

test('a value that breaks a stage is told with the files that the task reads, and without the names that columns have between stages', async () => {
  const error = readDuckdbError(await thrownBy("SELECT c1::INTEGER FROM (SELECT 'oops' AS c1 FROM range(3))"));
  expect(error.message).toContain('source column c1');
  const table = { catalog: 'own', schema: 'main', name: 'bad', format: 'parquet', columns: [] } as const;
  const of = (...files: string[]) => stageError(error, { ...context, tables: [{ ...table, files }] });
  const cause = "Conversion: Could not convert string 'oops' to INT32.";
  expect(of('/d/5.parquet')).toMatchObject({
    reason: 'QUERY_FAILED',
    message: `${cause} The task reads own.main.bad (/d/5.parquet)`,
  });
  expect(of('/1', '/1', '/2', '/3', '/4', '/5').message).toBe(
    `${cause} The task reads own.main.bad (/1, /2, /3 and 2 more files)`,
  );
  expect(stageError(error, context).message).toBe(cause.slice(0, -1));
});
