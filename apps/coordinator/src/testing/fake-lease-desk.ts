import { Code, ConnectError, type HandlerContext } from '@connectrpc/connect';
import { type Clock, type NodeId, seededRandom } from '@tutti/base';
import type { LeaseRequest } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { leaseRequestFromWire, leaseResponseToWire, type LeaseTelling, type ShardFences } from '@tutti/lease-wire';
import {
  type CoordinatorLife,
  type DeskEffect,
  type DeskEvent,
  type DeskReport,
  type GroupConfig,
  LeaseDesk,
  type SeatMessage,
  seatSet,
  shardOfGroup,
} from '@tutti/resource-groups';

interface OpenStream {
  readonly life: CoordinatorLife;
  readonly unsent: Omit<LeaseTelling, 'resourceManagerId'>[];
  wake: () => void;
}

interface FakeLeaseDeskOptions {
  readonly id: NodeId;
  readonly seats: readonly NodeId[];
  readonly config: GroupConfig;
  readonly toSeat: (to: NodeId, message: SeatMessage) => void;
  /** Workers should report: there may be something to tell them. */
  readonly onNote: () => void;
  readonly clock: Clock;
}

/** The real desk of a resource manager, behind streams in memory. */
export class FakeLeaseDesk {
  /** Messages with demands that came. */
  demandMessages = 0;
  private readonly desk: LeaseDesk;
  private readonly streams = new Set<OpenStream>();
  private fences: ShardFences[] = [];
  private isCut = false;
  private wakesAt = Infinity;

  constructor(private readonly options: FakeLeaseDeskOptions) {
    const { id, seats, config, clock } = options;
    const startedAt = clock.now();
    this.desk = new LeaseDesk({
      ...{ seat: id, incarnation: 1, startedAt, seatSet: seatSet(1, seats), isFirstStart: true },
      ...{ random: seededRandom(id.length), config },
    });
    this.apply({ kind: 'tick' });
  }

  /** Whether it deals the slots of a group. */
  owns(group: string): boolean {
    return this.desk.owned().some(({ shard }) => shard === shardOfGroup(group));
  }

  /** What it tells of a group in lists. */
  view(group: string): { owner: string; ownerEpoch: bigint; held?: number } {
    const known = this.desk.ownerOf(shardOfGroup(group), this.options.clock.now());
    const dealt = this.desk.groups().find((one) => one.group === group);
    const view = { owner: known?.holder.seat ?? '', ownerEpoch: BigInt(known?.epoch ?? 0) };
    return this.owns(group) ? { ...view, held: dealt?.booked ?? 0 } : view;
  }

  apply(event: DeskEvent): void {
    for (const effect of this.desk.apply(event, this.options.clock.now())) this.carryOut(effect);
    this.wakeLater();
  }

  /** Takes in what a worker reports, and tells it what to refuse. */
  report(report: DeskReport): readonly ShardFences[] {
    this.fences = [];
    if (!this.isCut) this.apply({ kind: 'workerReport', report });
    return this.fences;
  }

  /** Breaks all streams, and takes no new ones until it is mended. */
  cut(isCut: boolean): void {
    this.isCut = isCut;
    for (const { wake } of this.streams) wake();
  }

  readonly lease = async function* (
    this: FakeLeaseDesk,
    requests: AsyncIterable<LeaseRequest>,
    { signal }: HandlerContext,
  ) {
    const resourceManagerId = this.options.id;
    if (this.isCut) throw gone();
    let stream: OpenStream | undefined;
    let wake = () => {};
    signal.addEventListener('abort', () => wake(), { once: true });
    const opened = new Promise<void>((resolve) => (wake = resolve));
    void this.listen(requests, (first) => {
      stream = first;
      wake();
    });
    await opened;
    try {
      while (!signal.aborted && !this.isCut) {
        const next = stream?.unsent.shift();
        if (next) yield leaseResponseToWire({ resourceManagerId, ...next });
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
            if (stream) stream.wake = resolve;
          });
      }
      throw gone();
    } finally {
      if (stream) {
        this.streams.delete(stream);
        this.apply({ kind: 'disconnected', life: stream.life });
      }
    }
  }.bind(this);

  private async listen(requests: AsyncIterable<LeaseRequest>, onFirst: (stream: OpenStream) => void): Promise<void> {
    let stream: OpenStream | undefined;
    try {
      for await (const request of requests) {
        if (this.isCut) return;
        const { life, demands } = leaseRequestFromWire(request);
        if (stream === undefined) {
          stream = { life, unsent: [], wake: () => {} };
          this.streams.add(stream);
          onFirst(stream);
          this.apply({ kind: 'connected', life });
        }
        if (demands.length === 0) continue;
        this.demandMessages++;
        this.apply({ kind: 'demands', life, demands });
      }
    } catch {
      // The coordinator has left: the other half of the stream says so.
    }
  }

  private carryOut(effect: DeskEffect): void {
    switch (effect.kind) {
      case 'toSeat':
        return this.options.toSeat(effect.to, effect.message);
      case 'owns':
        return this.say(effect.to, { owned: effect.shards, grants: [] });
      case 'grant':
        return this.say(effect.to, { grants: [{ shard: effect.shard, grant: effect.grant }] });
      case 'fences':
        this.fences.push({ shard: effect.shard, list: effect.list });
        return;
      case 'note':
        return this.options.onNote();
      case 'drained':
        return;
    }
  }

  private say(to: CoordinatorLife | undefined, telling: Omit<LeaseTelling, 'resourceManagerId'>): void {
    for (const { life, unsent, wake } of [...this.streams]) {
      if (to !== undefined && (to.coordinatorId !== life.coordinatorId || to.incarnation !== life.incarnation))
        continue;
      unsent.push(telling);
      wake();
    }
  }

  private wakeLater(): void {
    const { clock } = this.options;
    const at = this.desk.wakeAt();
    if (at >= this.wakesAt || at === Infinity) return;
    this.wakesAt = at;
    clock.schedule(Math.max(1, at - clock.now()), () => {
      if (this.wakesAt !== at) return;
      this.wakesAt = Infinity;
      this.apply({ kind: 'tick' });
    });
  }
}

const gone = () => new ConnectError('the resource manager is gone', Code.Unavailable);
