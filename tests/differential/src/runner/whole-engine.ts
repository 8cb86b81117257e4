import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import type { TestData } from '../data/test-data.js';
import type { Rows } from './compare-rows.js';

/** What a statement came to. */
export type Answer =
  | { readonly rows: Rows; readonly types: readonly string[]; readonly names: readonly string[] }
  | { readonly error: string };

/** One engine that runs whole statements over the files: its answers are the truth. */
export class WholeEngine {
  private constructor(
    private instance: DuckDBInstance,
    private connection: DuckDBConnection,
    private readonly data: TestData,
  ) {}

  static async open(data: TestData): Promise<WholeEngine> {
    return new WholeEngine(...(await connect(data)), data);
  }

  async answer(sql: string): Promise<Answer> {
    try {
      const reader = await this.connection.runAndReadAll(sql);
      return {
        rows: reader.getRowsJson(),
        types: reader.columnTypes().map((type) => type.alias ?? String(type)),
        names: reader.columnNames(),
      };
    } catch (error) {
      const { message } = error as Error;
      if (isBroken(message)) await this.reopen();
      return { error: message };
    }
  }

  close(): void {
    this.connection.closeSync();
    this.instance.closeSync();
  }

  private async reopen(): Promise<void> {
    this.close();
    [this.instance, this.connection] = await connect(this.data);
  }
}

/** After a bug of its own an engine refuses everything. */
export const isBroken = (message: string): boolean => /INTERNAL Error|database has been invalidated/i.test(message);

async function connect(data: TestData): Promise<[DuckDBInstance, DuckDBConnection]> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', autoload_known_extensions: 'false' });
  const connection = await instance.connect();
  await connection.run("SET TimeZone = 'UTC'");
  await data.createViews(connection);
  return [instance, connection];
}
