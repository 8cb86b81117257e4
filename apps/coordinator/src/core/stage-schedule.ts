// The tasks of a distributed query: which runs in which session, and what happens when one is lost. A session is the
// executor of the query on one worker. Pure: an event in, effects out.
//   S1. A task runs in one session at a time. Only its newest attempt counts: what is heard of an older one changes nothing.
//   S2. A task is given out only when every file that it reads is in a session that is not lost. Files that are lost are made
//       again when a task needs them, and not before.
//   S3. A session has at most `sessionTasksMax` tasks at once: one that runs, and those whose files are fetched meanwhile.
//   S4. A task is started at most `attemptsMax` times. After the first row has gone to the client nothing is started again.
//       A start in a session that its worker refused does not count.
//   S5. With a session everything is lost that it ran and holds. Without any session the tasks wait for one.
//   S6. The query ends once: with all rows of the final stage, or with the first failure.
import { invariant, unreachable } from '@tutti/base';
import type { Stage, StageFacts } from '@tutti/sql';
import { failure, type QueryFailure } from './query.js';
import {
  type ExchangeFile,
  factsOf,
  filesFor,
  type KnownStage,
  makeTasks,
  type StageTask,
  type TaskOutput,
} from './stage-task.js';

/** Names one attempt of one task. */
export interface TaskAttempt {
  readonly stageId: string;
  readonly index: number;
  readonly attempt: number;
}

export interface StageInput {
  /** StageRead.number. */
  readonly number: number;
  readonly files: readonly ExchangeFile[];
}

export type ScheduleEvent =
  | { readonly kind: 'sessionOpened'; readonly sessionId: string }
  | { readonly kind: 'sessionLost'; readonly sessionId: string; readonly message: string }
  /** The worker did not take the session: nothing has run there, and nothing will. */
  | { readonly kind: 'sessionRefused'; readonly sessionId: string }
  /** The next stages were cut; `tasks` is how many shares each has. */
  | { readonly kind: 'stagesCut'; readonly stages: readonly { readonly stage: Stage; readonly tasks: number }[] }
  | ({ readonly kind: 'finished'; readonly output: TaskOutput } & TaskAttempt)
  /** It could not be done there, and may be elsewhere. `missing` are files that it could not get. */
  | ({ readonly kind: 'taskLost'; readonly message: string; readonly missing: readonly ExchangeFile[] } & TaskAttempt)
  | ({ readonly kind: 'taskFailed'; readonly failure: QueryFailure } & TaskAttempt)
  /** A row has gone to the client. */
  | { readonly kind: 'rowsSent' };

export type ScheduleEffect =
  | ({
      readonly kind: 'run';
      readonly sessionId: string;
      readonly stage: Stage;
      readonly tasks: number;
      readonly inputs: readonly StageInput[];
    } & TaskAttempt)
  /** More stages can be cut: their inputs' facts are known. */
  | { readonly kind: 'cut' }
  /** A task runs again, and why. */
  | ({ readonly kind: 'again'; readonly message: string } & TaskAttempt)
  /** There are tasks and no session to run them. */
  | { readonly kind: 'sessionWanted'; readonly message: string }
  | { readonly kind: 'failed'; readonly failure: QueryFailure }
  | { readonly kind: 'done' };

export interface ScheduleOptions {
  readonly sessionTasksMax: number;
  readonly attemptsMax: number;
}

export class StageSchedule {
  private readonly stages = new Map<string, KnownStage>();
  /** Tasks that each session has. */
  private readonly sessions = new Map<string, Set<StageTask>>();
  private rowsSent = false;
  private ended = false;
  private lastLoss = '';

  constructor(private readonly options: ScheduleOptions) {}

  /** What is known of the stages that have finished. */
  facts(): ReadonlyMap<string, StageFacts> {
    const facts = new Map<string, StageFacts>();
    for (const [id, known] of this.stages) if (known.facts !== undefined) facts.set(id, known.facts);
    return facts;
  }

  /** The stages in the order in which they were cut, for progress and EXPLAIN ANALYZE. */
  known(): readonly KnownStage[] {
    return [...this.stages.values()];
  }

  apply(event: ScheduleEvent): ScheduleEffect[] {
    if (this.ended) return []; // S6
    switch (event.kind) {
      case 'sessionOpened':
        this.sessions.set(event.sessionId, new Set());
        return this.giveOut();
      case 'sessionLost':
        return this.loseSession(event.sessionId, event.message);
      case 'sessionRefused':
        return this.refuseSession(event.sessionId);
      case 'stagesCut':
        return this.add(event.stages);
      case 'finished':
        return this.finish(event);
      case 'taskLost':
        return this.loseTask(event);
      case 'taskFailed':
        return this.isCurrent(event) ? this.end({ kind: 'failed', failure: event.failure }) : [];
      case 'rowsSent':
        this.rowsSent = true;
        return [];
      default:
        return unreachable(event);
    }
  }

  private add(stages: Extract<ScheduleEvent, { kind: 'stagesCut' }>['stages']): ScheduleEffect[] {
    for (const { stage, tasks } of stages) {
      if (this.stages.has(stage.id)) continue; // Another cut asked for it already.
      this.stages.set(stage.id, { stage, tasks: makeTasks(stage.id, tasks), facts: undefined });
    }
    return this.giveOut();
  }

  private finish(event: Extract<ScheduleEvent, { kind: 'finished' }>): ScheduleEffect[] {
    const task = this.isCurrent(event);
    if (task?.state.kind !== 'running') return [];
    const { sessionId } = task.state;
    this.sessions.get(sessionId)?.delete(task);
    task.state = { kind: 'done', sessionId, output: event.output };
    const known = this.stage(event.stageId);
    const isComplete = known.tasks.every(({ state }) => state.kind === 'done');
    if (isComplete && known.stage.output.kind === 'result') return this.end({ kind: 'done' });
    const isNews = isComplete && known.facts === undefined;
    if (isNews) known.facts = factsOf(known);
    return [...this.giveOut(), ...(isNews ? [{ kind: 'cut' } as const] : [])];
  }

  private loseTask(event: Extract<ScheduleEvent, { kind: 'taskLost' }>): ScheduleEffect[] {
    const task = this.isCurrent(event);
    if (task === undefined) return [];
    for (const file of event.missing) this.loseFile(file);
    return [...this.again(task, event.message), ...this.giveOut()];
  }

  /** S5. */
  private loseSession(sessionId: string, message: string): ScheduleEffect[] {
    const running = this.sessions.get(sessionId);
    if (running === undefined) return [];
    this.sessions.delete(sessionId);
    for (const known of this.stages.values())
      for (const task of known.tasks)
        if (task.state.kind === 'done' && task.state.sessionId === sessionId) loseOutput(known, task);
    const effects = [...running].flatMap((task) => this.again(task, message));
    const wanted = this.sessions.size === 0 && !this.ended ? [{ kind: 'sessionWanted', message } as const] : [];
    return [...effects, ...wanted, ...this.giveOut()];
  }

  /** S4. Who opened it sees to it that there is another one. */
  private refuseSession(sessionId: string): ScheduleEffect[] {
    const given = this.sessions.get(sessionId) ?? [];
    this.sessions.delete(sessionId);
    for (const task of given) {
      task.state = { kind: 'waiting' };
      task.refusals++;
    }
    return this.giveOut();
  }

  /** A file could not be fetched: whoever wrote it has to write it again. */
  private loseFile({ sessionId, name }: ExchangeFile): void {
    for (const known of this.stages.values())
      for (const task of known.tasks) {
        const { state } = task;
        if (state.kind !== 'done' || state.sessionId !== sessionId) continue;
        if (state.output.files.some((file) => file.name === name)) loseOutput(known, task);
      }
  }

  /** A task that was lost waits to be given out again. */
  private again(task: StageTask, message: string): ScheduleEffect[] {
    const { stageId, index, attempts } = task;
    if (task.state.kind === 'running') this.sessions.get(task.state.sessionId)?.delete(task);
    task.state = { kind: 'waiting' };
    this.lastLoss = message;
    return [{ kind: 'again', stageId, index, attempt: attempts, message }];
  }

  /** Gives waiting tasks to sessions. */
  private giveOut(): ScheduleEffect[] {
    if (this.ended) return [];
    this.remake();
    const effects: ScheduleEffect[] = [];
    for (const { stage, tasks } of this.stages.values()) {
      if (!this.hasInputs(stage)) continue;
      for (const task of tasks) {
        if (task.state.kind !== 'waiting') continue;
        const starts = task.attempts - task.refusals;
        if (starts > 0 && (this.rowsSent || starts >= this.options.attemptsMax)) return this.giveUp(task);
        const inputs = this.inputsOf(stage, task.index, tasks.length);
        const sessionId = this.chooseSession(inputs);
        if (sessionId === undefined) return effects;
        task.attempts++;
        task.state = { kind: 'running', sessionId, attempt: task.attempts };
        this.sessions.get(sessionId)?.add(task);
        const { stageId, index, attempts: attempt } = task;
        effects.push({ kind: 'run', stageId, index, attempt, sessionId, stage, tasks: tasks.length, inputs });
      }
    }
    return effects;
  }

  /** S2: what waiting tasks read and is lost waits too. Inputs were cut before their readers, so that one way back finds all. */
  private remake(): void {
    for (const { stage, tasks } of this.known().toReversed()) {
      if (!tasks.some(({ state }) => state.kind === 'waiting')) continue;
      for (const task of stage.reads.flatMap(({ stageId }) => this.stage(stageId).tasks))
        if (task.state.kind === 'lost') task.state = { kind: 'waiting' };
    }
  }

  private hasInputs(stage: Stage): boolean {
    return stage.reads.every(({ stageId }) => this.stage(stageId).tasks.every(({ state }) => state.kind === 'done'));
  }

  /** S4. */
  private giveUp({ stageId, attempts, refusals }: StageTask): ScheduleEffect[] {
    const why = this.rowsSent ? 'rows had gone to the client already' : `it was started ${attempts - refusals} times`;
    const text = `A part of the query (stage ${stageId}) was lost: ${this.lastLoss}; ${why}. Send the statement again.`;
    return this.end({ kind: 'failed', failure: failure('WORKER_LOST', text, true) });
  }

  private inputsOf(stage: Stage, index: number, count: number): StageInput[] {
    return stage.reads.map(({ number, stageId, share }) => ({
      number,
      files: filesFor(this.stage(stageId), share, index, count),
    }));
  }

  /** The session with the fewest tasks; of those the one that has most of the input already (S3). */
  private chooseSession(inputs: readonly StageInput[]): string | undefined {
    let best: { sessionId: string; tasks: number; bytes: number } | undefined;
    for (const [sessionId, { size: tasks }] of this.sessions) {
      if (tasks >= this.options.sessionTasksMax) continue;
      let bytes = 0;
      for (const { files } of inputs) for (const file of files) if (file.sessionId === sessionId) bytes += file.bytes;
      const isBetter = best === undefined || tasks < best.tasks || (tasks === best.tasks && bytes > best.bytes);
      if (isBetter) best = { sessionId, tasks, bytes };
    }
    return best?.sessionId;
  }

  /** The task, if this is its newest attempt and it runs (S1). */
  private isCurrent({ stageId, index, attempt }: TaskAttempt): StageTask | undefined {
    const task = this.stages.get(stageId)?.tasks[index];
    return task?.state.kind === 'running' && task.state.attempt === attempt ? task : undefined;
  }

  private stage(stageId: string): KnownStage {
    const known = this.stages.get(stageId);
    invariant(known !== undefined, `stage ${stageId} is read and was never cut`);
    return known;
  }

  private end(effect: ScheduleEffect): ScheduleEffect[] {
    this.ended = true;
    return [effect];
  }
}

/** The files of a task are gone. A stage of which nobody has heard all facts is needed in any case. */
function loseOutput({ stage, facts }: KnownStage, task: StageTask): void {
  if (stage.output.kind === 'result') return; // Its rows are with the client.
  task.state = facts === undefined ? { kind: 'waiting' } : { kind: 'lost' };
}
