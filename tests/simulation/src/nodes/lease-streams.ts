import { nodeId } from '@tutti/base';
import type { SimStream } from '../kernel/sim-stream.js';
import type { SimWorld } from '../world/sim-world.js';
import { demandText, type SimCoordinator } from './sim-coordinator.js';
import type { ShardDemand, SimResourceManager } from './sim-resource-manager.js';

const REOPEN_MS_MIN = 50;
const REOPEN_MS_MAX = 1_000;
/** A stream on which nothing is answered for so long is opened anew. */
const SILENT_MS = 3_000;

interface Link {
  readonly manager: SimResourceManager;
  stream: SimStream | undefined;
  failures: number;
  /** Whether anything has come on the present stream. */
  isAnswered: boolean;
  /** Since when an answer is missing, on the coordinator's clock. */
  unansweredSince: number | undefined;
}

/** One stream of leases from a coordinator to each resource manager, opened again when it ends. */
export class LeaseStreams {
  private readonly links: readonly Link[];

  constructor(
    private readonly world: SimWorld,
    private readonly owner: SimCoordinator,
  ) {
    this.links = world.resourceManagers.map((manager) => ({
      ...{ manager, stream: undefined, failures: 0, isAnswered: false, unansweredSince: undefined },
    }));
  }

  open(): void {
    for (const link of this.links) this.openOne(link);
    this.owner.every(SILENT_MS / 6, 0, () => this.closeSilent());
  }

  send(seat: string, demands: readonly ShardDemand[]): void {
    const { world, owner } = this;
    const link = this.links.find(({ manager }) => manager.name === seat);
    if (link?.stream === undefined) return;
    const { manager, stream } = link;
    world.leaseMessages++;
    link.unansweredSince ??= owner.now();
    if (world.trace)
      for (const { demand } of demands) world.trace.note(owner, `demands of ${seat} ${demandText(demand)}`);
    const life = { coordinatorId: owner.name, incarnation: owner.incarnation };
    const deliver = (): void => manager.hearDemands(life, demands);
    if (world.plan.datagrams) world.network.send(owner, manager, deliver);
    else stream.send(0, deliver);
  }

  /** Something came from a resource manager. What did not come on the stream may be late: it says nothing of that. */
  heard(from: SimResourceManager, isOnStream: boolean): void {
    const link = this.links.find(({ manager }) => manager === from);
    if (link === undefined || !(isOnStream || link.isAnswered)) return;
    link.isAnswered = true;
    link.unansweredSince = undefined;
    link.failures = 0;
  }

  died(isLoud: boolean): void {
    for (const { stream } of this.links) stream?.died(0, isLoud);
  }

  private openOne(link: Link): void {
    const { world, owner } = this;
    const { manager } = link;
    const { incarnation } = owner;
    const stream = world.network.open(owner, manager, { onClosed: () => this.closed(link, stream) }, (accepted) => {
      manager.accept(owner, incarnation, accepted);
      return { onClosed: () => manager.hangUp(accepted) };
    });
    link.stream = stream;
    link.isAnswered = false;
    link.unansweredSince = owner.now();
  }

  private closed(link: Link, stream: SimStream): void {
    if (link.stream !== stream) return;
    link.stream = undefined;
    this.owner.leaseStreamLost(link.manager);
    const backOffMs = Math.min(REOPEN_MS_MAX, REOPEN_MS_MIN * 2 ** link.failures++);
    this.owner.after(backOffMs * (0.5 + 0.5 * this.world.random()), () => this.openOne(link));
  }

  private closeSilent(): void {
    for (const link of this.links) {
      const { stream, unansweredSince } = link;
      if (stream === undefined || unansweredSince === undefined) continue;
      if (this.owner.now() - unansweredSince < SILENT_MS) continue;
      this.world.trace?.note(this.owner, `gives up its stream to ${nodeId(link.manager.name)}: no answer`);
      stream.close(0);
      this.closed(link, stream);
    }
  }
}
