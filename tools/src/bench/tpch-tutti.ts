import { createClient } from '@connectrpc/connect';
import { type QueryInfo, QueryService, QueryState, ResultFormat } from '@tutti/contracts/tutti/query/v1/query_pb';
import { collectBuffersEarly, createEdgeTransport } from '@tutti/service';
import { LocalCluster } from '../local-cluster.js';

/** A query that a cluster has run. */
export interface TuttiRun {
  readonly info: QueryInfo;
  readonly rows: unknown[][];
  readonly bytes: number;
  readonly elapsedMs: number;
}

const QUERY_TIMEOUT_MS = 300_000;
/** As the coordinator does it: otherwise the client of a large result spends more on marking its heap than on the result. */
const passedOn = collectBuffersEarly();

/** A cluster with the tables of TPC-H whose workers have one thread each. */
export class TpchCluster {
  private readonly transport;
  private readonly client;

  private constructor(private readonly cluster: LocalCluster) {
    this.transport = createEdgeTransport({ url: cluster.url() });
    this.client = createClient(QueryService, this.transport);
  }

  static async start(options: {
    readonly root: string;
    readonly directory: string;
    readonly catalogs: string;
    readonly workers: number;
  }): Promise<TpchCluster> {
    const cluster = await LocalCluster.create({
      ...options,
      resourceManagers: 1,
      coordinators: 1,
      arguments: {
        coordinator: ['--catalogs-default', 'tpch'],
        worker: ['--task-threads', '1', '--task-memory-limit', '4GB'],
      },
    });
    cluster.start();
    await cluster.ready();
    return new TpchCluster(cluster);
  }

  /** Runs a statement; throws when it fails. Rows are read only when they are asked for as rows. */
  async run(statement: string, resultFormat: ResultFormat = ResultFormat.JSON_LINES, keep = true): Promise<TuttiRun> {
    const startedAt = performance.now();
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    let info: QueryInfo | undefined;
    const options = { timeoutMs: QUERY_TIMEOUT_MS };
    for await (const { event } of this.client.executeQuery({ statement, resultFormat }, options)) {
      if (event.case === 'query') info = event.value;
      if (event.case !== 'jsonLines' && event.case !== 'parquet') continue;
      bytes += event.value.length;
      passedOn(event.value.length);
      if (keep) pieces.push(event.value);
    }
    if (info?.state !== QueryState.FINISHED) throw new Error(`the query did not finish: ${statement}`);
    const elapsedMs = performance.now() - startedAt;
    const text = Buffer.concat(pieces).toString('utf8').trimEnd();
    const rows = keep && text !== '' ? (JSON.parse(`[${text.replaceAll('\n', ',')}]`) as unknown[][]) : [];
    return { info, rows, bytes, elapsedMs };
  }

  async stop(): Promise<void> {
    this.transport.close();
    await this.cluster.stop();
  }
}
