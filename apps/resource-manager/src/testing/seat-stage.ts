// Several resource managers in one process, with their time in our hands, and what happens to them.
import { Code, createClient, type Transport } from '@connectrpc/connect';
import { nodeId, seededRandom } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import { DiscoveryService, NodeRole, NodeState } from '@tutti/contracts/tutti/discovery/v1/discovery_pb';
import { type GroupConfig, groupSpec } from '@tutti/resource-groups';
import { aborted, AddressWatcher, type ClosableTransport, createMetrics, rpcError } from '@tutti/service';
import { memoryTransport, TestLog } from '@tutti/service/testing';
import { createResourceManager, type ResourceManager } from '../resource-manager.js';
import { addressOf } from './lease-player.js';
import type { Settings } from '../settings.js';

const TIMES = {
  heartbeat: { interval: 1_000 },
  nodes: { suspectAfter: 2_500, lease: 10_000 },
  usage: { forgetAfter: 3_500 },
  queries: { expireAfter: 10_000, completedKept: 600_000, completedMax: 1_000 },
};

/** Ten slots, dealt by whoever owns the shard of `global`. */
export const TEN_SLOTS: GroupConfig = {
  rootGroups: [groupSpec({ name: 'global', hardConcurrencyLimit: 10, maxQueued: 100, admissionMode: 'leased' })],
  selectors: [],
};

export interface Seat {
  readonly id: string;
  readonly manager: ResourceManager;
  readonly transport: Transport;
  /** What people reach. */
  readonly edge: Transport;
  readonly log: TestLog;
  readonly metrics: ReturnType<typeof createMetrics>;
  /** What it said of its readiness, newest last: whether it is ready, and why. */
  readonly readiness: string[];
  /** Ends all that it does, and all that is done with it. */
  readonly down: AbortController;
  readonly running: Promise<void>;
}

interface SeatStageOptions {
  readonly ids: readonly string[];
  readonly seats?: Partial<Settings['seats']>;
  /** Resource managers with a list of their own, or, without one, that are not started yet. */
  readonly lists?: Readonly<Record<string, readonly string[] | undefined>>;
  readonly config?: GroupConfig;
}

/** A machine that can be suspended: then only its wall clock goes on. */
class MachineClock extends FakeClock {
  private suspendedMs = 0;

  override wallMs(): number {
    return super.wallMs() + this.suspendedMs;
  }

  suspend(ms: number): void {
    this.suspendedMs += ms;
  }
}

export class SeatStage {
  readonly clock = new MachineClock();
  readonly seats = new Map<string, Seat>();
  private starts = 0;

  constructor(private readonly options: SeatStageOptions) {
    const { ids, lists = {} } = options;
    for (const id of ids) {
      const list = lists[id];
      if (list !== undefined) this.start(id, { ids: list });
      else if (!(id in lists)) this.start(id);
    }
  }

  /** Starts a resource manager, or starts it again. */
  start(id: string, seats: Partial<Settings['seats']> = {}): Seat {
    const { ids, config = TEN_SLOTS } = this.options;
    const down = new AbortController();
    const log = new TestLog();
    const metrics = createMetrics({}, { processMetrics: false });
    const settings = { ids, version: 1, firstStart: true, ...this.options.seats, ...seats };
    const manager = createResourceManager({
      nodeId: nodeId(id),
      incarnation: this.clock.wallMs() + ++this.starts,
      config: { ...TIMES, seats: settings },
      addresses: new AddressWatcher({
        specs: ids.map(addressOf),
        resolveIntervalMs: 1_000,
        resolve: () => Promise.resolve([]),
        clock: this.clock,
        log,
      }),
      groups: { current: { config, version: 'v' }, status: () => ({ version: 'v' }), run: aborted },
      clock: this.clock,
      random: seededRandom(this.starts),
      metrics,
      log,
      connect: this.connect,
    });
    const readiness: string[] = [];
    const endpoints = { clusterAddress: addressOf(id), edgeAddress: `${id}:8080` };
    const seat: Seat = {
      ...{ id, manager, log, metrics, readiness, down },
      transport: memoryTransport(manager.clusterRoutes, down.signal),
      edge: memoryTransport(manager.edgeRoutes, down.signal),
      running: manager.run(
        endpoints,
        (ready, why) => readiness.push(`${ready ? '' : 'not ready: '}${why}`),
        down.signal,
      ),
    };
    this.seats.set(id, seat);
    return seat;
  }

  seat(id: string): Seat {
    const seat = this.seats.get(id);
    if (seat === undefined) throw new Error(`there is no ${id}`);
    return seat;
  }

  /** Its process is gone: connections break, nobody answers. */
  kill(id: string): void {
    this.seat(id).down.abort(gone(id));
  }

  /** Ends it in good order. */
  async stop(id: string): Promise<void> {
    const over = this.seat(id).manager.handOver();
    let isOver = false;
    void over.then(() => (isOver = true));
    while (!isOver) await this.clock.advance(10);
    await this.seat(id).manager.depart();
    this.kill(id);
  }

  /** A channel to an address, for resource managers and for whoever else there is. */
  readonly connect = (address: string): ClosableTransport => {
    const id = address.replace(/:.*/, '');
    const transport = (): Transport => {
      const seat = this.seats.get(id);
      if (seat === undefined || seat.down.signal.aborted) throw gone(id);
      return seat.transport;
    };
    return {
      unary: async (...call) => transport().unary(...call),
      stream: async (...call) => transport().stream(...call),
      close: () => undefined,
    };
  };

  /** A coordinator or a worker says that it is there, to everybody. */
  async announce(id: string, incarnation = 1n): Promise<void> {
    const role = id.startsWith('c') ? NodeRole.COORDINATOR : NodeRole.WORKER;
    const state = NodeState.ACTIVE;
    const announcement = { nodeId: id, role, incarnation, version: 1n, state, queryIdSuffix: `${id}${id}z` };
    const requests = async function* () {
      yield { announcement, knownNodeIds: [] };
    };
    for (const { down, transport } of this.seats.values()) {
      if (down.signal.aborted) continue;
      for await (const _ of createClient(DiscoveryService, transport).announce(requests()));
    }
  }

  /** Lets time pass in small steps until something holds, or too much time has passed. Returns how long that took. */
  async until(holds: () => boolean, atMostMs: number, stepMs = 10): Promise<number> {
    for (let passedMs = 0; ; passedMs += stepMs) {
      if (holds()) return passedMs;
      if (passedMs >= atMostMs) throw new Error(`this does not hold within ${atMostMs} ms: ${holds.toString()}`);
      await this.clock.advance(stepMs);
    }
  }

  async end(): Promise<void> {
    for (const { down } of this.seats.values()) down.abort(gone('everybody'));
    await Promise.all([...this.seats.values()].map(({ running }) => running));
  }
}

const gone = (id: string) => rpcError(Code.Unavailable, `${id} is gone`, { reason: 'GONE' });
