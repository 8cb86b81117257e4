import { nodeId, parseDurationMs } from '@tutti/base';
import { FIRST_VERSION, seatSet, type SeatSet } from '../seat-set.js';
import { preferenceOf } from '../shard.js';
import { CALM } from './seat-faults.js';
import { type SeatNode, SeatWorld, textOf } from './seat-world.js';

const SHARD_COUNT = 3;

/**
 * Seats that do what the lines of a transcript say, on a calm network where a message takes 10 ms. What happens to
 * ownership and copies is told with the time since the beginning.
 *
 *   seats a b c                the configured seats from now on: what `start` and `tell` use
 *   start a b / kill a / pause a / resume a / suspend a
 *   first a b                  they start with the word that there was no cluster before
 *   hold a b / release a b     these hear of others whose seats disagree with theirs, and do not any more
 *   tell a b                   these read the configuration
 *   wait 3s                    time passes
 *   split a | b c / heal       who can talk
 *   copy 0 k1=5 k2=            the owner of shard 0 copies an entry, and one without a payload
 *   resign 0 / drain a         the owner of a shard, or a seat with all its shards, gives up
 *   seen a 0 12                a coordinator tells a that shard 0 had an owner of epoch 12
 *   owners / order / memory    who believes to own what / who should / who has which ledger
 */
export class SeatStory {
  private readonly lines: string[] = [];
  private set: SeatSet = seatSet(1, [nodeId('a')]);
  private readonly world = new SeatWorld({
    ...{ seed: 1, shardCount: SHARD_COUNT, driftMax: 0 },
    onEffect: (node, effect) => this.lines.push(`${this.time()} ${node.seat} ${tell(effect)}`),
  });

  constructor() {
    this.world.network.faults = CALM;
  }

  run(commands: string): string {
    this.lines.length = 0;
    for (const line of commands.split('\n')) this.runLine(line.trim().split(/\s+/));
    return this.lines.join('\n');
  }

  private runLine([verb = '', ...words]: string[]): void {
    const { world } = this;
    const seats = words.map(nodeId);
    const apply = (action: (node: SeatNode) => void): void => seats.map((seat) => world.node(seat)).forEach(action);
    switch (verb) {
      case 'seats':
        this.set = seatSet(world.nodes.size === 0 ? FIRST_VERSION : this.set.version + 1, seats);
        return;
      case 'start':
        return apply((node) => node.start(this.set));
      case 'first':
        return apply((node) => node.start(this.set, true));
      case 'suspend':
        return apply((node) => node.apply({ kind: 'overslept' }));
      case 'hold':
        return apply((node) => node.holdBack('seatsDisagree'));
      case 'release':
        return apply((node) => node.holdBack());
      case 'tell':
        return apply((node) => node.changeSeats(this.set));
      case 'kill':
        return apply((node) => node.stop());
      case 'pause':
        return apply((node) => node.pause());
      case 'resume':
        return apply((node) => node.resume());
      case 'drain':
        return apply((node) => node.apply({ kind: 'drain' }));
      case 'wait':
        return world.time.runUntil(world.time.now + (parseDurationMs(words[0] ?? '') ?? 0));
      case 'split':
        return world.network.split(
          [...world.nodes.keys()],
          words
            .join(' ')
            .split('|')
            .map((part) => part.trim().split(' ').map(nodeId)),
        );
      case 'heal':
        return world.network.heal();
      case 'seen':
        return world
          .node(nodeId(words[0] ?? ''))
          .apply({ kind: 'epochSeen', shard: Number(words[1]), epoch: Number(words[2]) });
      case 'order':
        return this.each((shard) => preferenceOf(this.set.seats, shard).join(' '));
      case 'owners':
        return this.each(
          (shard) =>
            world
              .ownersOf(shard)
              .map(({ seat }) => seat)
              .join(' and ') || 'nobody',
        );
      case 'memory':
        return this.each((shard) =>
          this.running()
            .filter(({ machine }) => machine?.remembers(shard))
            .map(({ seat }) => seat)
            .join(' '),
        );
      case 'copy':
        return this.copy(Number(words[0]), words.slice(1));
      case 'resign':
        return this.owner(Number(words[0]))?.apply({ kind: 'resign', shard: Number(words[0]) });
      default:
        throw new Error(`seats do not know how to ${verb}`);
    }
  }

  private copy(shard: number, entries: string[]): void {
    for (const [key = '', value = ''] of entries.map((entry) => entry.split('=')))
      this.owner(shard)?.copy(shard, key, value === '' ? undefined : value);
  }

  private owner(shard: number): SeatNode | undefined {
    return this.world.ownersOf(shard)[0];
  }

  private running(): SeatNode[] {
    return [...this.world.nodes.values()].filter(({ machine }) => machine !== undefined);
  }

  private each(text: (shard: number) => string): void {
    for (let shard = 0; shard < SHARD_COUNT; shard++) this.lines.push(`shard ${shard}: ${text(shard)}`);
  }

  private time(): string {
    return `${(this.world.time.now / 1_000).toFixed(2)}s`;
  }
}

type Told = Parameters<SeatWorld['options']['onEffect']>[1];

function tell(effect: Told): string {
  switch (effect.kind) {
    case 'acquired': {
      const copies = effect.copies.map(({ key, payload }) => `${key}=${textOf(payload)}`);
      const how = effect.ledgerComplete
        ? 'the ledger is complete'
        : effect.isFirst
          ? 'the first owner'
          : effect.mustLearnFully
            ? `must learn fully, for ${(effect.learnMs / 1_000).toFixed(2)}s`
            : 'copies miss nothing';
      return `owns ${effect.shard} (epoch ${effect.epoch}), ${how}${copies.length > 0 ? `: ${copies.join(' ')}` : ''}`;
    }
    case 'lost':
      return `lost ${effect.shard} (epoch ${effect.epoch}): ${effect.reason}`;
    case 'copied':
      return `copied ${effect.shard} up to ${effect.epoch}.${effect.seq}`;
    case 'copyRefused':
      return `could not copy ${effect.shard} up to ${effect.seq}: ${effect.reason}`;
  }
}
