// Whether others still count what this coordinator runs.
//   C1. Others count our queries while resource managers hear us. After a silence of more than `silenceMaxMs` they may
//       have given our slots away, as far as workers did not report the queries as running.
//   C2. A slot is good only in the stretch of contact in which it was given: a task that is placed later would be one
//       too many.
import type { Instant } from '@tutti/base';

export class Contact {
  private heardAt: Instant | undefined;
  private current = 0;

  constructor(private readonly silenceMaxMs: number) {}

  /** A resource manager has heard what we sent at `sentAt`, on our clock. */
  heard(sentAt: Instant): void {
    if (this.heardAt === undefined || sentAt - this.heardAt > this.silenceMaxMs) this.current++; // C1
    if (this.heardAt === undefined || sentAt > this.heardAt) this.heardAt = sentAt;
  }

  /** The number of the present stretch; undefined while nobody hears us. */
  stretch(now: Instant): number | undefined {
    if (this.heardAt === undefined || now - this.heardAt > this.silenceMaxMs) return undefined;
    return this.current;
  }
}
