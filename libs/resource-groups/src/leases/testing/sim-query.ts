import type { TaskStamp } from '../lease-messages.js';

/** A query of a coordinator, in stages that follow each other. */
export interface SimQuery {
  readonly id: string;
  readonly group: string;
  readonly priority: number;
  readonly since: number;
  readonly submittedAt: number;
  state: 'waiting' | 'running' | 'done';
  /** The durations of the tasks of the stages to come. */
  stages: number[][];
  readonly tasks: Map<string, SimTask>;
}

/** One attempt of a task. */
export interface SimTask {
  readonly query: SimQuery;
  readonly attempt: string;
  readonly worker: string;
  readonly workerIncarnation: number;
  readonly durationMs: number;
  state: 'unsent' | 'sent' | 'accepted' | 'refused' | 'ended';
  stamp: TaskStamp | undefined;
}
