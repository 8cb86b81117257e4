// The life of one query. Pure: an event and a time in, whether anything changed out.
//   M1. A query moves forward only, along `queryStates`; steps may be left out. One step leads back: an admitted query whose
//       group takes the slot back is queued again, before `finishing`. No task of it is on any worker then, and no row left.
//   M2. The first end counts: what happens after it changes nothing.
//   M3. A query has a failure exactly when it ended as failed or canceled.
//   M4. The wait for the group begins when a group is first chosen, and is over at the last admission or at the end.
import type { Instant } from '@tutti/base';
import { invariant } from '@tutti/base';
import type { QueryFailure, QueryState } from './query.js';
import { isEnd } from './query.js';

export type QueryEvent =
  /** The statement is good, and this leaf group decides when it runs: for the first time, or instead of another one. */
  | { readonly kind: 'groupChosen'; readonly group: string }
  /** The group let it start. */
  | { readonly kind: 'admitted'; readonly workersActive: boolean }
  /** The group takes its slot back, and nothing of it is on any worker: it waits again. */
  | { readonly kind: 'requeued' }
  /** A worker has come that was missing. */
  | { readonly kind: 'workersFound' }
  /** The tasks are cut, and a worker is being asked. */
  | { readonly kind: 'placing' }
  /** A worker took its task, or the coordinator itself answers. */
  | { readonly kind: 'running' }
  /** All rows have been produced. */
  | { readonly kind: 'tasksEnded' }
  /** All rows have gone to the client. */
  | { readonly kind: 'delivered' }
  | { readonly kind: 'failed'; readonly failure: QueryFailure }
  | { readonly kind: 'canceled'; readonly failure: QueryFailure };

type Step = Exclude<QueryEvent['kind'], 'groupChosen' | 'admitted' | 'failed' | 'canceled'>;

const steps: Readonly<Record<Step, { readonly from: readonly QueryState[]; readonly to: QueryState }>> = {
  requeued: { from: ['waitingForResources', 'planning', 'starting', 'running'], to: 'queued' },
  workersFound: { from: ['waitingForResources'], to: 'planning' },
  placing: { from: ['planning'], to: 'starting' },
  running: { from: ['queued', 'starting'], to: 'running' },
  tasksEnded: { from: ['running'], to: 'finishing' },
  delivered: { from: ['finishing'], to: 'finished' },
};

export class QueryMachine {
  private current: QueryState = 'queued';
  private groupPath = '';
  private groupChosenAt: Instant | undefined;
  private admittedAt: Instant | undefined;
  private endedAt: Instant | undefined;
  private why: QueryFailure | undefined;

  constructor(private readonly createdAt: Instant) {}

  get state(): QueryState {
    return this.current;
  }

  get group(): string {
    return this.groupPath;
  }

  get failure(): QueryFailure | undefined {
    return this.why;
  }

  /** The one door. Returns whether the query changed. An event out of turn is a bug of ours and throws. */
  apply(event: QueryEvent, now: Instant): boolean {
    if (isEnd(this.current)) return false; // M2
    switch (event.kind) {
      case 'groupChosen':
        invariant(this.current === 'queued', `group chosen while ${this.current}`);
        this.groupPath = event.group;
        this.groupChosenAt ??= now;
        return true;
      case 'admitted':
        invariant(this.current === 'queued' && this.groupPath !== '', `admitted while ${this.current}`);
        this.admittedAt = now;
        this.current = event.workersActive ? 'planning' : 'waitingForResources';
        return true;
      case 'failed':
      case 'canceled':
        this.why = event.failure; // M3
        return this.end(event.kind, now);
      case 'delivered':
        this.checkTurn(event.kind);
        return this.end('finished', now);
      case 'requeued':
        this.take(event.kind);
        this.admittedAt = undefined; // M4
        return true;
      case 'workersFound':
      case 'placing':
      case 'running':
      case 'tasksEnded':
        return this.take(event.kind);
    }
  }

  elapsedMs(now: Instant): number {
    return (this.endedAt ?? now) - this.createdAt;
  }

  /** M4. */
  queuedMs(now: Instant): number {
    if (this.groupChosenAt === undefined) return 0;
    return (this.admittedAt ?? this.endedAt ?? now) - this.groupChosenAt;
  }

  private take(kind: Step): true {
    this.checkTurn(kind);
    this.current = steps[kind].to;
    return true;
  }

  private checkTurn(kind: Step): void {
    invariant(steps[kind].from.includes(this.current), `${kind} while ${this.current}`); // M1
  }

  private end(state: QueryState, now: Instant): true {
    this.current = state;
    this.endedAt = now;
    return true;
  }
}
