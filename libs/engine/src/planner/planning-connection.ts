import type { DuckDBConnection, DuckDBInstance, DuckDBPreparedStatement } from '@duckdb/node-api';
import { CONNECTION_SETTINGS } from '../duckdb/open-instance.js';
import { QueryGate } from '../duckdb/query-gate.js';
import { identifier } from '../duckdb/sql-text.js';
import { explainJson, SERIALIZE_PLAN } from './distribution-plan.js';

/** Where names of a statement are looked up. */
export interface Place {
  readonly catalog: string;
  readonly schema: string;
}

/**
 * What one statement is planned with: the engine binds it, writes its plan down and explains it on a connection each, since it
 * takes its time for each of them and can do them side by side.
 */
export class PlanningConnection {
  private place: Place | undefined;

  private constructor(
    readonly connection: DuckDBConnection,
    /** Every statement passes it first. */
    readonly gate: QueryGate,
    private readonly writer: DuckDBConnection,
    /** Takes a statement, and gives its plan. Prepared once, since that takes longer than to run it. */
    readonly serializePlan: DuckDBPreparedStatement,
    readonly explainer: DuckDBConnection,
  ) {}

  static async open(instance: DuckDBInstance): Promise<PlanningConnection> {
    const [connection, writer, explainer] = [await connect(instance), await connect(instance), await connect(instance)];
    const serializePlan = await writer.prepare(SERIALIZE_PLAN);
    // The first ones are slow.
    await explainJson(explainer, 'SELECT 1');
    serializePlan.bindVarchar(1, 'SELECT 1');
    await serializePlan.run();
    return new PlanningConnection(connection, await QueryGate.open(connection), writer, serializePlan, explainer);
  }

  /** From now on names are looked up there. */
  async use(place: Place): Promise<void> {
    if (this.place?.catalog === place.catalog && this.place.schema === place.schema) return;
    this.place = undefined;
    const use = `USE ${identifier(place.catalog)}.${identifier(place.schema)}`;
    for (const connection of this.all) await connection.run(use);
    this.place = place;
  }

  /** Ends what runs. */
  interrupt(): void {
    for (const connection of this.all) connection.interrupt();
  }

  close(): void {
    this.gate.close();
    this.serializePlan.destroySync();
    for (const connection of this.all) connection.closeSync();
  }

  private get all(): readonly DuckDBConnection[] {
    return [this.connection, this.writer, this.explainer];
  }
}

async function connect(instance: DuckDBInstance): Promise<DuckDBConnection> {
  const connection = await instance.connect();
  await connection.run(`${CONNECTION_SETTINGS}; SET explain_output = 'optimized_only'`);
  return connection;
}
