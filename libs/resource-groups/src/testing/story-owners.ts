import { type Instant, nodeId } from '@tutti/base';
import type { GroupConfig } from '../group-config.js';
import type { GroupEffect, GroupEvent } from '../group-events.js';
import { LeaseOwner } from '../leases/lease-owner.js';
import type { Demand, Grant, LeafDemand, Wish } from '../leases/lease-messages.js';
import type { OwnerEvent } from '../leases/owner-events.js';
import { shardOfGroup } from '../seats/shard.js';

/** A coordinator as owners see it. */
interface Peer {
  readonly id: string;
  readonly wakeAt: Instant;
  apply(event: GroupEvent): string[];
}

interface Owned {
  readonly owner: LeaseOwner;
  readonly seat: string;
  readonly shard: number;
  readonly epoch: number;
}

type DemandEffect = Extract<GroupEffect, { kind: 'demand' }>;

/** Resource managers of a story that own root groups: real owners, and a network that loses, keeps and delivers. */
export class StoryOwners {
  private owned: Owned[] = [];
  private lastEpoch = 0;
  private readonly cut = new Set<string>();
  private readonly kept = new Map<string, (() => string[])[]>();
  private readonly mail: (() => string[])[] = [];
  /** Whether messages are told that say nothing new. */
  isLoud = false;

  constructor(
    private readonly next: () => Instant,
    private readonly peers: () => readonly Peer[],
    private readonly config: () => GroupConfig,
  ) {}

  /** `seat` owns these root groups from now on, with the next epoch. The former owner does not know it yet. */
  acquire(seat: string, roots: readonly string[]): void {
    const epoch = ++this.lastEpoch;
    for (const shard of new Set(roots.map((root) => shardOfGroup(root)))) {
      const owner = new LeaseOwner();
      const owned = { owner, seat, shard, epoch };
      const mustLearnFully = this.owned.some((former) => former.shard === shard);
      this.owned = this.owned.filter((former) => former.seat !== seat || former.shard !== shard);
      this.owned.push(owned);
      const [now, nothing] = [this.next(), { copies: [], mustLearnFully, learnMs: 10_000 }];
      this.tell(owned, { kind: 'acquired', epoch, ...nothing }, now);
      this.tell(owned, { kind: 'configured', rootGroups: this.config().rootGroups }, now);
      this.tell(owned, this.membership(), now);
    }
    this.announce(seat);
  }

  /** It owns nothing any more. */
  lose(seat: string): void {
    this.owned = this.owned.filter((owned) => owned.seat !== seat);
    this.announce(seat);
  }

  configure(): void {
    for (const owned of this.owned)
      this.tell(owned, { kind: 'configured', rootGroups: this.config().rootGroups }, this.next());
  }

  /** A coordinator has come. */
  greet(peer: Peer): void {
    for (const owned of this.owned) this.tell(owned, this.membership(), this.next());
    for (const seat of new Set(this.owned.map((owned) => owned.seat))) this.announce(seat, peer.id);
  }

  /** Nothing goes between the two any more, and the coordinator does not know. */
  cutOff(id: string, seat: string): void {
    this.cut.add(`${id} ${seat}`);
  }

  /** The coordinator opens its stream anew. */
  connect(id: string, seat: string): void {
    this.cut.delete(`${id} ${seat}`);
    for (const peer of this.peers())
      if (peer.id === id) this.post(seat, () => peer.apply({ kind: 'leaseStreamLost', seat: nodeId(seat) }));
    this.announce(seat, id);
  }

  /** From now on all that the resource manager says is late. */
  keep(seat: string): void {
    this.kept.set(seat, []);
  }

  release(seat: string): void {
    this.mail.push(...(this.kept.get(seat) ?? []));
    this.kept.delete(seat);
  }

  /** The demands of one turn of a coordinator: those for one resource manager go together. */
  demand(id: string, demands: readonly DemandEffect[]): string[] {
    return [...new Set(demands.map(({ seat }) => seat))].flatMap((seat) => {
      const here = demands.filter((demand) => demand.seat === seat);
      for (const { shard, demand } of here)
        if (!this.cut.has(`${id} ${seat}`)) this.mail.push(() => this.hear(seat, shard, demand));
      if (!this.isLoud && here.every(({ demand }) => inWords(demand) === NOTHING_NEW)) return [];
      return [`${id} to ${seat}: ${here.map(({ demand }) => inWords(demand)).join(' | ')}`];
    });
  }

  /** Delivers until nothing is on its way. */
  deliver(): string[] {
    const lines: string[] = [];
    for (let message; (message = this.mail.shift()) !== undefined;) lines.push(...message());
    return lines;
  }

  get wakeAt(): number {
    return Math.min(...this.owned.map(({ owner }) => owner.wakeAt() ?? Infinity));
  }

  tick(now: Instant): void {
    for (const owned of this.owned)
      if ((owned.owner.wakeAt() ?? Infinity) <= now) this.tell(owned, { kind: 'tick' }, now);
  }

  private hear(seat: string, shard: number, demand: Demand): string[] {
    const owned = this.owned.find((one) => one.seat === seat && one.shard === shard);
    if (owned !== undefined) this.tell(owned, { kind: 'demand', demand }, this.next());
    return [];
  }

  private announce(seat: string, to?: string): void {
    const shards = this.owned.filter((owned) => owned.seat === seat).map(({ shard, epoch }) => ({ shard, epoch }));
    for (const peer of this.peers())
      if ((to === undefined || peer.id === to) && !this.cut.has(`${peer.id} ${seat}`))
        this.post(seat, () => peer.apply({ kind: 'leaseOwners', seat: nodeId(seat), shards }));
  }

  private tell(owned: Owned, event: OwnerEvent, now: Instant): void {
    const { owner, seat, shard } = owned;
    for (const effect of owner.apply(event, now)) {
      // Another seat keeps every copy.
      if (effect.kind === 'copy') this.tell(owned, { kind: 'copied', seq: effect.entries.at(-1)?.seq ?? 0 }, now);
      if (effect.kind !== 'grant') continue;
      const { grant, to } = effect;
      const peer = this.peers().find(({ id }) => id === to.coordinatorId);
      if (peer === undefined || this.cut.has(`${peer.id} ${seat}`)) continue;
      this.post(seat, () => [
        ...(this.isLoud || grantInWords(grant) !== 'renewed' ? [`${seat} to ${peer.id}: ${grantInWords(grant)}`] : []),
        ...peer.apply({ kind: 'leaseGranted', seat: nodeId(seat), shard, grant }),
      ]);
    }
  }

  private post(seat: string, message: () => string[]): void {
    (this.kept.get(seat) ?? this.mail).push(message);
  }

  private membership(): OwnerEvent {
    const coordinators = this.peers().map(({ id }) => ({ coordinatorId: id, incarnation: 1 }));
    return { kind: 'membership', coordinators, workers: [] };
  }
}

const NOTHING_NEW = 'nothing new';

const inWords = ({ leaves, isLapsed, baseSeq }: Demand): string => {
  const what = leaves.length === 0 ? NOTHING_NEW : leaves.map(leafInWords).join(', ');
  return `${baseSeq === undefined ? 'all: ' : ''}${what}${isLapsed ? ', no lease' : ''}`;
};

const leafInWords = ({ group, running, held, waiting, slack, oldest }: LeafDemand): string => {
  const ages = oldest.map(
    ({ ageMs, priority }) => `${Math.round(ageMs)} ms${priority === 1 ? '' : ` prio ${priority}`}`,
  );
  const waits = waiting === 0 ? '' : `, ${waiting} wait (${ages.join(', ')})`;
  return `${group} ${running} of ${held} run${waits}${slack === 0 ? '' : `, ${slack} spare`}`;
};

const grantInWords = ({ kind, caps, wishes }: Grant): string =>
  [kind, ...caps.map(({ group, cap }) => `${group} up to ${cap}`), ...wishes.map(wishInWords)].join(', ');

const wishInWords = ({ group, mode, keep }: Wish & { readonly group: string }): string =>
  mode === 'none'
    ? `${group} keeps all`
    : `${group} gives back ${mode === 'spare' ? 'what is spare' : mode} down to ${keep}`;
