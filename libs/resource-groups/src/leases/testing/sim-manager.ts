import type { LedgerEntry } from '../copy-codec.js';
import { LeaseOwner } from '../lease-owner.js';
import type { LeadershipAcquired, OwnerEffect, OwnerEvent } from '../owner-events.js';
import { SimProcess } from './sim-process.js';

/** A resource manager: the real owner machine, with the little of a shell that it needs. The world says what it owns. */
export class SimManager extends SimProcess {
  owner = new LeaseOwner();
  private ticking = 0;

  protected began(): void {
    this.owner = new LeaseOwner({ timing: this.world.timing, rules: this.world.rules });
  }

  protected ended(): void {
    this.owner = new LeaseOwner({ timing: this.world.timing, rules: this.world.rules });
  }

  /** Owns the groups, with what the seats kept. */
  acquire(acquired: LeadershipAcquired): void {
    this.owner = new LeaseOwner({ timing: this.world.timing, rules: this.world.rules });
    this.apply({ kind: 'configured', rootGroups: this.world.rootGroups });
    this.apply(acquired);
    this.apply(this.world.membership());
  }

  /** The seats have ended its ownership: at once, even while it stands still. */
  lose(): void {
    this.owner.apply({ kind: 'lost' }, this.now());
  }

  /** Only to be called while it runs: see SimProcess.run. */
  apply(event: OwnerEvent): void {
    const { owner } = this;
    for (const effect of owner.apply(event, this.now())) this.perform(effect, owner);
    this.world.checks.ownerStepped(this);
    const wakeAt = owner.wakeAt();
    if (wakeAt === undefined) return;
    const tick = ++this.ticking;
    this.after(Math.max(1, wakeAt - this.now()), () => {
      if (tick === this.ticking) this.apply({ kind: 'tick' });
    });
  }

  private perform(effect: OwnerEffect, owner: LeaseOwner): void {
    const { world } = this;
    world.log(this, effect);
    switch (effect.kind) {
      case 'grant': {
        const { to, grant } = effect;
        const coordinator = world.coordinator(to.coordinatorId);
        world.checks.messages++;
        return this.send(coordinator, () => {
          if (coordinator.incarnation === to.incarnation) coordinator.apply({ kind: 'grant', grant });
        });
      }
      case 'copy':
        return this.copy(effect.entries, owner);
      case 'fences': {
        world.checks.fencesTold(effect.list);
        return this.send(world.worker(effect.workerId), (to) => to.takeFences(effect.list, effect.incarnation));
      }
      case 'mayResign':
        return world.resigned(this);
      case 'epochSeen':
        return world.stepAbove(this, effect.epoch);
      case 'learned':
        return world.learned(this);
      case 'wroteOff':
        return;
    }
  }

  /** Copies go to the seats in their order, and are acknowledged in it. */
  private copy(entries: readonly LedgerEntry[], owner: LeaseOwner): void {
    const { epoch } = owner;
    const seq = entries.at(-1)?.seq ?? 0;
    this.world.seats.put(epoch, entries, () =>
      this.run(() => {
        if (owner === this.owner && owner.epoch === epoch) this.apply({ kind: 'copied', seq });
      }),
    );
  }
}
