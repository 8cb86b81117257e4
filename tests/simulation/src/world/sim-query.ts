import type { CountedGroup } from '../checks/counted-group.js';
import type { PlannedQuery } from './planned.js';

/** lost: with its coordinator, or with its workers. */
export type QueryEnd = 'done' | 'rejected' | 'lost' | 'canceled';

/** A query as the world sees it. What coordinators and workers know of it is theirs. */
export class SimQuery {
  state: 'planned' | 'queued' | 'started' | QueryEnd = 'planned';
  id = '';
  /** The coordinator that it is at, by name. */
  at = '';
  submittedAt = 0;
  startedAt = 0;
  startCount = 0;
  /** Whether there was room for it when it came, and nobody before it. */
  hadSlack = false;
  /** Tasks of it that run on workers now. */
  tasksRunning = 0;

  constructor(
    readonly number: number,
    readonly plan: PlannedQuery,
    readonly leaf: CountedGroup,
  ) {}

  get isOver(): boolean {
    const { state } = this;
    return state !== 'planned' && state !== 'queued' && state !== 'started';
  }

  get name(): string {
    return `q${this.number}`;
  }
}
