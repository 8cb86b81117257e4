import type { Instant } from '@tutti/base';

type Role = 'coordinator' | 'worker';

interface Member {
  readonly role: Role;
  readonly incarnation: number;
  heardAt: Instant;
}

const SILENT_MS = 10_000;

/** Which nodes a resource manager counts to the cluster: those that it has heard lately. */
export class MemberTable {
  private readonly members = new Map<string, Member>();
  /** The newest life of each node that left, or was silent for too long. */
  private readonly gone = new Map<string, number>();
  /** Grows with each change. */
  version = 0;

  heard(name: string, role: Role, incarnation: number, now: Instant): void {
    const known = this.members.get(name);
    if (known?.incarnation === incarnation) known.heardAt = now;
    else if ((known?.incarnation ?? 0) < incarnation) {
      this.members.set(name, { role, incarnation, heardAt: now });
      this.version++;
    }
  }

  left(name: string, incarnation: number): void {
    if (this.members.get(name)?.incarnation !== incarnation) return;
    this.members.delete(name);
    this.gone.set(name, incarnation);
    this.version++;
  }

  sweep(now: Instant): void {
    for (const [name, { incarnation, heardAt }] of [...this.members])
      if (now - heardAt > SILENT_MS) this.left(name, incarnation);
  }

  list(role: Role): { readonly name: string; readonly incarnation: number }[] {
    const all: { name: string; incarnation: number }[] = [];
    for (const [name, member] of this.members)
      if (member.role === role) all.push({ name, incarnation: member.incarnation });
    return all;
  }

  /** Lives of workers up to this one are over, as far as is known here. */
  endedLives(role: Role): ReadonlyMap<string, number> {
    const ended = new Map(this.gone);
    for (const { name, incarnation } of this.list(role)) ended.set(name, incarnation - 1);
    return ended;
  }
}
