// Calls other coordinators and the resource managers on behalf of clients.
import { createClient, type Client, type Transport } from '@connectrpc/connect';
import type { DescService } from '@bufbuild/protobuf';
import { ClusterService } from '@tutti/contracts/tutti/cluster/v1/cluster_pb';
import { QueryService, type QueryInfo } from '@tutti/contracts/tutti/query/v1/query_pb';
import { Code } from '@connectrpc/connect';
import { readRpcError, rpcError } from '@tutti/service';

/** Where the other nodes are; a view of the node directory. */
export interface PeerDirectory {
  /** The coordinator whose query ids end in `suffix`. */
  byQuerySuffix(suffix: string): { readonly nodeId: string; readonly clusterAddress: string } | undefined;
  /** Coordinators that are reachable, without this one. */
  otherCoordinators(): readonly { readonly nodeId: string; readonly clusterAddress: string }[];
  /** The cluster address of a resource manager; undefined when it is not known. */
  resourceManagerAddress(nodeId: string): string | undefined;
  /** All resource managers that are known, whether they answer or not. */
  allResourceManagers(): readonly { readonly nodeId: string; readonly clusterAddress: string }[];
  /** Addresses of the resource managers that know everybody, in order: ask the first one. */
  resourceManagers(): readonly string[];
}

/** Reads behave well within this, and nobody waits longer for a node that is not well. */
const TIMEOUT_MS = 2_000;

export class Peers {
  constructor(
    readonly directory: PeerDirectory,
    private readonly transportTo: (address: string) => Transport,
  ) {}

  /** A client of the coordinator at `address`. */
  coordinator(address: string): Client<typeof QueryService> {
    return createClient(QueryService, this.transportTo(address));
  }

  /**
   * Asks the first resource manager that answers. Its own refusals, such as "not found", are answers. Throws
   * RESOURCE_MANAGERS_UNREACHABLE when none does.
   */
  async askResourceManager<S extends DescService, T>(
    service: S,
    ask: (client: Client<S>, options: { timeoutMs: number; signal: AbortSignal }) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const addresses = this.directory.resourceManagers();
    let last = 'none is connected';
    for (const address of addresses) {
      try {
        return await ask(createClient(service, this.transportTo(address)), { timeoutMs: TIMEOUT_MS, signal });
      } catch (error) {
        const { code, message } = readRpcError(error);
        if (signal.aborted || (code !== Code.Unavailable && code !== Code.DeadlineExceeded)) throw error;
        last = `${address}: ${message}`;
      }
    }
    throw rpcError(Code.Unavailable, `No resource manager answers (${last}).`, {
      reason: 'RESOURCE_MANAGERS_UNREACHABLE',
      retryAfterMs: 1_000,
    });
  }

  /** Asks this very resource manager; undefined when it is not known or does not answer. */
  async askThatResourceManager<S extends DescService, T>(
    nodeId: string,
    service: S,
    ask: (client: Client<S>, options: { timeoutMs: number; signal: AbortSignal }) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    const address = this.directory.resourceManagerAddress(nodeId);
    if (address === undefined) return undefined;
    try {
      return await ask(createClient(service, this.transportTo(address)), { timeoutMs: TIMEOUT_MS, signal });
    } catch (error) {
      if (signal.aborted) throw error;
      return undefined; // Who asks can do without.
    }
  }

  /** Asks every resource manager that is known; each answer is what it said, or the error. */
  async askAllResourceManagers<S extends DescService, T>(
    service: S,
    ask: (client: Client<S>, options: { timeoutMs: number; signal: AbortSignal }) => Promise<T>,
    signal: AbortSignal,
  ): Promise<readonly { readonly nodeId: string; readonly answer: PromiseSettledResult<T> }[]> {
    const all = this.directory.allResourceManagers();
    const answers = await Promise.allSettled(
      all.map(({ clusterAddress }) =>
        ask(createClient(service, this.transportTo(clusterAddress)), { timeoutMs: TIMEOUT_MS, signal }),
      ),
    );
    return answers.map((answer, index) => ({ nodeId: all[index]?.nodeId ?? '', answer }));
  }

  /** What the resource managers last heard of a query; undefined when they know nothing of it or do not answer. */
  async lastReported(queryId: string, signal: AbortSignal): Promise<QueryInfo | undefined> {
    try {
      const answer = await this.askResourceManager(
        ClusterService,
        (client, options) => client.getQuery({ queryId }, options),
        signal,
      );
      return answer.query;
    } catch (error) {
      const { code } = readRpcError(error);
      if (code === Code.NotFound || code === Code.Unavailable) return undefined;
      throw error;
    }
  }
}
