import type { SeatId, SeatMessage } from '@tutti/resource-groups';
import type { SimStream } from '../kernel/sim-stream.js';
import type { SimWorld } from '../world/sim-world.js';
import type { SimResourceManager } from './sim-resource-manager.js';

const REOPEN_MS = 200;

interface Link {
  stream: SimStream | undefined;
  reopenAt: number;
}

/** How a resource manager sends to the other seats: one stream each, opened when it is needed; or message by message. */
export class SeatLinks {
  private readonly links = new Map<SeatId, Link>();
  private readonly heard: SimStream[] = [];

  constructor(
    private readonly world: SimWorld,
    private readonly owner: SimResourceManager,
  ) {}

  send(to: SeatId, message: SeatMessage): void {
    const { world, owner } = this;
    const other = world.resourceManagers.find(({ name }) => name === to);
    if (other === undefined) return;
    if (world.plan.datagrams) return world.network.send(owner, other, () => other.hearSeat(message));
    const link = this.links.get(to) ?? { stream: undefined, reopenAt: 0 };
    this.links.set(to, link);
    if (link.stream === undefined) {
      if (world.time.now < link.reopenAt) return; // Dropped: who needs it asks again.
      const onClosed = (): void => {
        link.stream = undefined;
        link.reopenAt = world.time.now + REOPEN_MS * (0.5 + world.random());
      };
      link.stream = world.network.open(owner, other, { onClosed }, (stream) => other.hearLink(stream));
    }
    link.stream.send(0, () => other.hearSeat(message));
  }

  /** Another seat has opened its stream. */
  accepted(stream: SimStream): void {
    this.heard.push(stream);
  }

  died(isLoud: boolean): void {
    for (const { stream } of this.links.values()) stream?.died(0, isLoud);
    for (const stream of this.heard) stream.died(1, isLoud);
  }
}
