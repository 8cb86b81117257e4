// Makes messages at random: every kind, every field set or not, numbers at their ends.
import { nodeId, type Random, randomInt, seededRandom } from '@tutti/base';
import {
  type CopyEntry,
  type CopySet,
  type Demand,
  type FenceList,
  type Grant,
  type Holder,
  type HoldAnswerItem,
  type SeatMessage,
  SHARD_COUNT,
} from '@tutti/resource-groups';

const UINT32_MAX = 2 ** 32 - 1;

export class MessageMaker {
  private readonly random: Random;
  private names = 0;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  demand(): Demand {
    const seq = this.number(2);
    return {
      ...{ coordinatorId: this.name(), incarnation: this.number(1), seq, ownerEpoch: this.number(1) },
      baseSeq: this.maybe(seq - 1),
      epochSeen: this.number(),
      stamp: { epoch: this.number(), seq: this.number() },
      isLapsed: this.coin(),
      leaves: this.list(4, () => {
        const running = this.uint();
        const group = this.name();
        return {
          ...{ group, template: this.coin() ? group : 'global.${USER}', running, held: Math.max(running, this.uint()) },
          ...{ waiting: this.uint(), slack: this.uint() },
          oldest: this.list(8, () => ({ ageMs: this.ms(), priority: this.uint() - 2 ** 31 })).map((one) => ({
            ...one,
            priority: Math.min(one.priority, 2 ** 31 - 1),
          })),
          ...(this.coin() && { cpuMs: this.ms() }),
        };
      }),
    };
  }

  grant(): Grant {
    return {
      kind: this.one(['renewed', 'refused', 'lapsed', 'resend', 'pushed']),
      ...{ epoch: this.number(1), number: this.number(1), ackSeq: this.number(), ttlMs: this.ms() },
      caps: this.list(3, () => ({
        ...{ group: this.name(), cap: this.uint() },
        ...(this.coin() && { cpuBudgetMs: this.ms() }),
      })),
      wishes: this.list(3, () => ({
        ...{ group: this.name(), mode: this.one(['none', 'spare', 'ends', 'stop']), keep: this.uint() },
      })),
      hints: this.list(3, () => ({
        ...{ group: this.name(), blockingGroup: this.coin() ? '' : this.name(), limit: this.uint(), held: this.uint() },
        ...{ aheadElsewhere: this.uint(), isApproximate: this.coin() },
      })),
    };
  }

  fenceList(): FenceList {
    return {
      ...{ epoch: this.number(1), version: this.number(), epochFloor: this.number() },
      fences: this.list(3, () => ({
        ...{ coordinatorId: this.name(), incarnation: this.number(), epoch: this.number(), seq: this.number() },
      })),
      leasedRootGroups: this.list(2, () => this.name()),
      exemptRootGroups: this.list(2, () => this.name()),
    };
  }

  seatMessage(kind: SeatMessage['kind']): SeatMessage {
    const sent = { from: this.holder(), version: this.number(1), request: this.number(1) };
    const addressed = { ...sent, toIncarnation: this.number(1) };
    const ofShard = { shard: this.shard(), epoch: this.number(1) };
    switch (kind) {
      case 'hold': {
        const resigned = () => this.coin() && { resigned: { holder: this.holder(), epoch: this.number(1) } };
        const items = this.shards((shard) => ({
          ...{ shard, epoch: this.number(1), copiesWanted: this.coin() },
          ...resigned(),
        }));
        return { kind, ...sent, items };
      }
      case 'holdAnswer': {
        const states = { askerIncarnation: this.number(), blank: this.coin(), draining: this.coin() };
        return { kind, ...addressed, ...states, items: this.shards((shard) => this.answerItem(shard)) };
      }
      case 'copy': {
        const extent = this.one(['new', 'all', 'complete']);
        return { kind, ...addressed, ...ofShard, extent, through: this.number(), entries: this.copies().entries };
      }
      case 'copyAnswer':
        return { kind, ...addressed, ...ofShard, result: this.one(['kept', 'full', 'fenced', 'otherSeatSet']) };
      case 'release': {
        const items = this.shards((shard) => ({
          ...{ shard, epoch: this.number(1) },
          ...(this.coin() && { successor: this.holder().seat }),
        }));
        return { kind, ...sent, items };
      }
      case 'handOver':
        return { kind, ...addressed, ...ofShard, complete: this.coin(), copies: this.copies() };
    }
  }

  shard(): number {
    return randomInt(this.random, SHARD_COUNT);
  }

  /** From `min` to the largest safe number, small ones and the ends more often. */
  number(min = 0): number {
    return min + this.one([0, 1, randomInt(this.random, 1_000), Number.MAX_SAFE_INTEGER - min]);
  }

  private answerItem(shard: number): HoldAnswerItem {
    const common = { shard, remembers: this.coin(), epoch: this.number() };
    if (this.coin()) {
      const reason = this.one(['starting', 'held', 'seeking', 'fenced', 'otherSeatSet']);
      const holder = this.coin() && { holder: this.holder() };
      return { kind: 'refused', ...common, reason, ...holder, restMs: this.coin() ? Infinity : this.ms() };
    }
    const quietMs = this.coin() ? Infinity : this.ms();
    const copies = this.coin() && { copies: this.copies() };
    return { kind: 'promised', ...common, priorEpoch: this.number(), quietMs, ...copies };
  }

  private copies(): CopySet {
    const entries = this.list(4, (): CopyEntry => {
      const payload = this.coin() ? undefined : Uint8Array.from(this.list(5, () => randomInt(this.random, 256)));
      return { key: `h\n${this.name()}`, epoch: this.number(1), seq: this.number(), payload };
    });
    return { base: { epoch: this.number(), seq: this.number() }, entries };
  }

  private holder(): Holder {
    return { seat: nodeId(this.name()), incarnation: this.number(1) };
  }

  private shards<T>(make: (shard: number) => T): T[] {
    return Array.from({ length: SHARD_COUNT }, (_, shard) => shard)
      .filter(() => this.random() < 0.1)
      .map(make);
  }

  private list<T>(lengthMax: number, make: () => T): T[] {
    return Array.from({ length: randomInt(this.random, lengthMax + 1) }, make);
  }

  private one<const T>(values: readonly T[]): T {
    return values[randomInt(this.random, values.length)] as T;
  }

  /** Never the same twice, not always ASCII. */
  private name(): string {
    return `${this.one(['global', 'c', 'große gruppe', '部門'])}.${this.names++}`;
  }

  private uint(): number {
    return this.one([0, 1, randomInt(this.random, 100), UINT32_MAX]);
  }

  private ms(): number {
    return this.one([0, 1, 0.25, 10_000, randomInt(this.random, 1_000_000_000) + 0.5]);
  }

  private coin(): boolean {
    return this.random() < 0.5;
  }

  private maybe<T>(value: T): T | undefined {
    return this.coin() ? value : undefined;
  }
}
