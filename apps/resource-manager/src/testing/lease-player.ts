import { createClient } from '@connectrpc/connect';
import { type Clock, type Instant, seededRandom } from '@tutti/base';
import { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { leaseRequestToWire, leaseResponseFromWire, type LeaseTelling, type ShardDemand } from '@tutti/lease-wire';
import { type HolderEffect, type HolderEvent, LeaseHolder, shardOfGroup } from '@tutti/resource-groups';
import { type ClosableTransport, readRpcError, readStream } from '@tutti/service';

const GROUP = 'global';
const SHARD = shardOfGroup(GROUP);

interface Talk {
  readonly send: (demands: readonly ShardDemand[]) => void;
  readonly stop: AbortController;
}

/** Where a resource manager in memory is found. */
export const addressOf = (id: string): string => `${id}:9090`;

/** A coordinator: the real machine of a holder, with streams to all resource managers, and queries in our hands. */
export class LeasePlayer {
  readonly heard: LeaseTelling[] = [];
  /** How streams ended. */
  readonly ends: string[] = [];
  running = 0;
  waiting = 0;
  private arrived = 0;
  private readonly waitingSince: Instant[] = [];
  private readonly holder: LeaseHolder;
  private readonly talks = new Map<string, Talk>();
  private owner: { readonly id: string; readonly epoch: number } | undefined;
  private cancelTimer: () => void = () => undefined;
  private onStarted: () => void = () => undefined;

  constructor(
    private readonly life: { readonly coordinatorId: string; readonly incarnation: number },
    private readonly clock: Clock,
    private readonly connect: (address: string) => ClosableTransport,
  ) {
    this.holder = new LeaseHolder({ life, random: seededRandom(life.incarnation) });
  }

  get ownerId(): string | undefined {
    return this.owner?.id;
  }

  get messages(): number {
    return this.heard.length;
  }

  /** Opens a stream to a resource manager; it is read until it ends. */
  talkTo(id: string, address = addressOf(id)): void {
    const waiting: (readonly ShardDemand[])[] = [[]];
    let wake = () => {};
    const stop = new AbortController();
    const { life } = this;
    async function* requests() {
      while (!stop.signal.aborted) {
        const demands = waiting.shift();
        if (demands === undefined) await new Promise<void>((resolve) => (wake = resolve));
        else yield leaseRequestToWire(life, demands);
      }
    }
    stop.signal.addEventListener('abort', () => wake());
    const talk: Talk = {
      stop,
      send: (demands) => {
        waiting.push(demands);
        wake();
      },
    };
    this.talks.set(id, talk);
    void this.read(id, address, talk, requests());
  }

  leave(): void {
    this.cancelTimer();
    for (const { stop } of this.talks.values()) stop.abort();
  }

  /** So many queries come. */
  submit(count: number): void {
    this.arrived += count;
    this.waiting += count;
    for (let query = 0; query < count; query++) this.waitingSince.push(this.clock.now());
    this.startAll();
  }

  /** Resolves when so many run. */
  untilRunning(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.onStarted = () => {
        if (this.running >= count) resolve();
      };
      this.onStarted();
    });
  }

  /** So many that run end. */
  finish(count: number): void {
    this.running -= count;
    this.startAll();
  }

  private async read(
    id: string,
    address: string,
    talk: Talk,
    requests: AsyncIterable<ReturnType<typeof leaseRequestToWire>>,
  ) {
    const transport = this.connect(address);
    try {
      const client = createClient(ResourceGroupService, transport);
      for await (const response of readStream((signal) => client.lease(requests, { signal }), talk.stop.signal))
        this.hear(id, leaseResponseFromWire(response));
      this.ends.push(`${id}: ended`);
    } catch (error) {
      const { reason, message } = readRpcError(error);
      this.ends.push(`${id}: ${reason ?? message}`);
    }
    talk.stop.abort();
    transport.close();
    if (this.talks.get(id) === talk) this.talks.delete(id);
    if (this.owner?.id !== id) return;
    this.owner = undefined;
    this.apply({ kind: 'streamLost' });
  }

  private hear(id: string, telling: LeaseTelling): void {
    this.heard.push(telling);
    const owned = telling.owned?.find(({ shard }) => shard === SHARD);
    if (owned !== undefined && owned.epoch > (this.owner?.epoch ?? 0)) {
      this.owner = { id, epoch: owned.epoch };
      this.apply({ kind: 'streamOpened', epoch: owned.epoch });
    } else if (telling.owned !== undefined && owned === undefined && this.owner?.id === id) {
      this.owner = undefined;
      this.apply({ kind: 'streamLost' });
    }
    for (const { shard, grant } of telling.grants) if (shard === SHARD) this.apply({ kind: 'grant', grant });
    this.startAll();
  }

  private startAll(): void {
    const now = this.clock.now();
    this.tell();
    while (this.waiting > 0 && this.holder.mayStart(GROUP, now)) {
      this.waiting--;
      this.running++;
      this.onStarted();
      this.waitingSince.shift();
      this.tell();
    }
  }

  private tell(): void {
    const oldest = this.waitingSince.slice(0, 8).map((since) => ({ since, priority: 1 }));
    const { running, waiting, arrived } = this;
    const wants = { group: GROUP, template: GROUP, running, waiting, oldest, arrived };
    this.apply({ kind: 'wants', leaves: [wants] });
  }

  private apply(event: HolderEvent): void {
    const now = this.clock.now();
    for (const effect of this.holder.apply(event, now)) this.perform(effect);
    this.cancelTimer();
    const at = this.holder.wakeAt();
    if (at < Infinity)
      this.cancelTimer = this.clock.schedule(Math.max(1, at - now), () => this.apply({ kind: 'tick' }));
  }

  private perform(effect: HolderEffect): void {
    if (effect.kind === 'send' && this.owner !== undefined)
      this.talks.get(this.owner.id)?.send([{ shard: SHARD, demand: effect.demand }]);
  }
}
