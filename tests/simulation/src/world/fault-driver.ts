import type { NetworkFaults } from '../kernel/sim-network.js';
import type { SimProcess } from '../kernel/sim-process.js';
import { SimCoordinator } from '../nodes/sim-coordinator.js';
import { SimResourceManager } from '../nodes/sim-resource-manager.js';
import { SimWorker } from '../nodes/sim-worker.js';
import { OTHERS, type PlannedFault, type Target } from './planned.js';
import type { SimWorld } from './sim-world.js';

/** A worker that is asked to stop waits for so long for its tasks. */
const WORKER_DRAIN_MS = 5_000;
const DRAIN_POLL_MS = 50;
/** A process that is asked to stop stops after so long in any case. */
const DRAIN_MAX_MS = 20_000;

/** Makes the faults of a plan happen. What makes no sense at its moment does not happen. */
export class FaultDriver {
  private readonly badNetworks: NetworkFaults[] = [];

  constructor(private readonly world: SimWorld) {}

  schedule(faults: readonly PlannedFault[]): void {
    for (const fault of faults) this.world.time.after(fault.atMs, () => this.do(fault));
  }

  private do(fault: PlannedFault): void {
    const { world } = this;
    switch (fault.kind) {
      case 'cut': {
        const [from, to] = [this.processes(fault.from), this.processes(fault.to)];
        world.trace?.note(
          '***',
          `cut: ${names(from)} ${fault.oneWay ? '->' : '<->'} ${names(to)} for ${fault.forMs} ms`,
        );
        world.network.cut(from, to);
        if (!fault.oneWay) world.network.cut(to, from);
        return world.time.after(fault.forMs, () => {
          world.trace?.note('***', `healed: ${names(from)} ${fault.oneWay ? '->' : '<->'} ${names(to)}`);
          world.network.heal(from, to);
          if (!fault.oneWay) world.network.heal(to, from);
        });
      }
      case 'network': {
        world.trace?.note('***', `the network is bad for ${Math.round(fault.forMs)} ms`);
        this.badNetworks.push(fault.faults);
        this.settleNetwork();
        return world.time.after(fault.forMs, () => {
          this.badNetworks.splice(this.badNetworks.indexOf(fault.faults), 1);
          this.settleNetwork();
        });
      }
      case 'reload':
        return this.reload(fault.config, fault.spreadMs);
      case 'crash':
      case 'pause':
      case 'roll': {
        const process = world.process(fault.target);
        if (!process?.isAlive || process.isPaused) return;
        if (fault.kind === 'crash') return this.crash(process, fault.backAfterMs, fault.isLoud);
        if (fault.kind === 'roll') return this.roll(process, fault.backAfterMs);
        return this.pause(process, fault.forMs, fault.isSuspended);
      }
    }
  }

  /** Of several that are bad at once the last one counts. */
  private settleNetwork(): void {
    const { world, badNetworks } = this;
    world.network.faults = badNetworks.at(-1) ?? world.plan.network;
  }

  private crash(process: SimProcess, backAfterMs: number, isLoud: boolean): void {
    const { world } = this;
    world.trace?.note(
      '***',
      `${process.name} crashes${isLoud ? '' : ' with its machine'}, back after ${backAfterMs} ms`,
    );
    this.watchOwner(process, false);
    process.crash(isLoud);
    world.time.after(backAfterMs, () => this.start(process));
  }

  private pause(process: SimProcess, forMs: number, isSuspended: boolean): void {
    const { world } = this;
    world.trace?.note('***', `${process.name} ${isSuspended ? 'is suspended' : 'stands still'} for ${forMs} ms`);
    process.pause(isSuspended);
    const { life } = process;
    world.time.after(forMs, () => {
      if (process.life !== life) return;
      world.trace?.note('***', `${process.name} goes on`);
      process.resume();
    });
  }

  /** Stops in good order, and comes back. */
  private roll(process: SimProcess, backAfterMs: number): void {
    const { world } = this;
    const { life } = process;
    world.trace?.note('***', `${process.name} is asked to stop`);
    this.watchOwner(process, true);
    let isOver = false;
    const stop = (): void => {
      if (isOver || process.life !== life) return;
      isOver = true;
      // It stops a little later than it says so: what it had to say is on its way.
      world.time.after(20, () => {
        if (process.life !== life) return;
        world.trace?.note('***', `${process.name} has stopped, back after ${backAfterMs} ms`);
        process.crash(true);
        world.time.after(backAfterMs, () => this.start(process));
      });
    };
    if (process instanceof SimResourceManager) process.drain(stop);
    else if (process instanceof SimCoordinator) process.drain(stop);
    else if (process instanceof SimWorker) this.drainWorker(process, stop);
    world.time.after(DRAIN_MAX_MS, stop);
  }

  private drainWorker(worker: SimWorker, stop: () => void): void {
    const { time } = this.world;
    const until = time.now + WORKER_DRAIN_MS;
    worker.isDraining = true;
    const look = (): void => {
      if (!worker.isIdle && time.now < until) return time.after(DRAIN_POLL_MS, look);
      worker.leave();
      stop();
    };
    look();
  }

  private start(process: SimProcess): void {
    this.world.trace?.note('***', `${process.name} starts`);
    process.start();
  }

  /** The file changes: each process reads it within `spreadMs`. */
  private reload(config: SimWorld['config'], spreadMs: number): void {
    const { world } = this;
    world.trace?.note('***', 'other limits hold');
    world.config = config;
    world.checks.configure(config);
    for (const process of [...world.coordinators, ...world.resourceManagers]) {
      const { life } = process;
      world.time.after(spreadMs * world.random(), () => process.deliver(life, () => process.reload(world.config)));
    }
  }

  private watchOwner(process: SimProcess, isOrderly: boolean): void {
    if (process instanceof SimResourceManager) this.world.redeals.ownerLeaves(new Map(process.ownedShards), isOrderly);
  }

  private processes(targets: readonly Target[]): SimProcess[] {
    const { world } = this;
    const others = (): SimProcess[] => world.resourceManagers.filter((manager) => manager !== world.owner);
    return targets.flatMap((target) => (target === OTHERS ? others() : (world.process(target) ?? [])));
  }
}

const names = (processes: readonly SimProcess[]): string => processes.map(({ name }) => name).join(' ');
