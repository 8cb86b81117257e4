import type { GroupEffect } from './group-events.js';

/** Questions for the usage of other coordinators: there is at most one without an answer, besides those of ticks. */
export class UsageQuestions {
  private isOpen = false;

  ask(effects: GroupEffect[]): void {
    this.isOpen = true;
    effects.push({ kind: 'askUsage' });
  }

  askUnlessAsked(effects: GroupEffect[]): void {
    if (!this.isOpen) this.ask(effects);
  }

  /** An answer came, or none will. */
  close(): void {
    this.isOpen = false;
  }
}
