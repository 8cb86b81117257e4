import { DuckDBInstance } from '@duckdb/node-api';
import { TABLES, type TestData, writeTestData } from './test-data.js';

let data: TestData;
beforeAll(async () => {
  data = await writeTestData();
});
afterAll(() => data.remove());

test('every table can be read, has the rows that it should have, and its declared types', async () => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await data.createViews(connection);
  for (const { schema, name, files, columns } of TABLES) {
    const count = await connection.runAndReadAll(`SELECT count(*)::INTEGER FROM (FROM ${schema}.${name})`);
    expect([name, count.getRows()[0]?.[0]]).toEqual([name, files.reduce((sum, rows) => sum + rows, 0)]);
    const described = await connection.runAndReadAll(`DESCRIBE ${schema}.${name}`);
    const types = described.getRows().map(([column, type]) => `${String(column)} ${String(type)}`);
    expect(types.map(plain)).toEqual(columns.map((column) => plain(`${column.name} ${column.type}`)));
  }
  connection.closeSync();
  instance.closeSync();
});

const plain = (type: string): string => type.replace(/["\s]/g, '');
