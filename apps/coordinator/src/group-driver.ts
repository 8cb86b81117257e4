// Drives the group machine by the clocks of this process.
//   V1. Effects are carried out one after the other, in the order in which the machine gave them: what one of them leads to
//       comes after those that were there before.
//   V2. When the machine that we run on has stood still, the group machine hears that before anything else.
//   V3. One timer, for the time that the group machine names. It may come early, which changes nothing.
import type { Clock, Instant } from '@tutti/base';
import type { GroupEffect, GroupEvent, GroupTree } from '@tutti/resource-groups';
import { StallCheck } from './core/stall-check.js';

export interface GroupDriverOptions {
  readonly groups: Pick<GroupTree, 'apply' | 'wakeAt'>;
  /** `cause` is what the machine was told when it decided so. */
  readonly carryOut: (effect: GroupEffect, cause: GroupEvent) => void;
  readonly clock: Clock;
}

/** Timers of the system have whole milliseconds, and may be a little early. */
const TIMER_MS_MIN = 1;

export class GroupDriver {
  private readonly stalls = new StallCheck();
  /** What is to be carried out, from `next` on. A changed configuration may move a hundred thousand queries at once. */
  private effects: { readonly effect: GroupEffect; readonly cause: GroupEvent }[] = [];
  private next = 0;
  private isCarryingOut = false;
  private timer: { readonly at: Instant; readonly cancel: () => void } | undefined;

  constructor(private readonly options: GroupDriverOptions) {}

  /** Tells the group machine what happened, and does what it decides; within an effect, after the others of its list. */
  apply(event: GroupEvent): void {
    const { clock } = this.options;
    const now = clock.now();
    if (this.stalls.hasStalled(now, clock.wallMs())) this.tell({ kind: 'overslept' }, now); // V2
    this.tell(event, now);
    this.carryOutAll();
    this.arm();
  }

  /** V1. */
  private carryOutAll(): void {
    if (this.isCarryingOut) return;
    this.isCarryingOut = true;
    try {
      for (let decided; (decided = this.effects[this.next]) !== undefined;) {
        this.next++;
        this.options.carryOut(decided.effect, decided.cause);
      }
      this.effects = [];
      this.next = 0;
    } finally {
      this.isCarryingOut = false;
    }
  }

  private tell(cause: GroupEvent, now: Instant): void {
    for (const effect of this.options.groups.apply(cause, now)) this.effects.push({ effect, cause });
  }

  /** V3. */
  private arm(): void {
    const { groups, clock } = this.options;
    const at = groups.wakeAt();
    if (at === Infinity || (this.timer && this.timer.at <= at)) return;
    this.timer?.cancel();
    const cancel = clock.schedule(Math.max(TIMER_MS_MIN, at - clock.now()), () => {
      this.timer = undefined;
      this.apply({ kind: 'tick' });
    });
    this.timer = { at, cancel };
  }
}
