import type { Clock } from '@tutti/base';
import { FIGURES_AGE_MS_MAX, TaskFigures } from './core/task-figures.js';
import type { TaskClient, TaskUse } from './task-client.js';

/** A task whose use is watched. */
export interface WatchedUse {
  /** Its stream said what it used. */
  heard(use: TaskUse): void;
  /** It is over. */
  stop(): void;
}

/** Knows what running tasks use, also while nobody reads their rows: asks their workers then, about once a second. */
export class TaskWatch {
  private readonly figures = new TaskFigures();
  private readonly listeners = new Map<string, (use: TaskUse) => void>();
  private readonly questions = new Map<string, AbortController>();
  private ticking = false;

  constructor(private readonly options: { readonly tasks: Pick<TaskClient, 'list'>; readonly clock: Clock }) {}

  /** Watches a task that has just started; `onUse` hears newer and newer figures until `stop`. */
  watch(taskId: string, address: string, onUse: (use: TaskUse) => void): WatchedUse {
    this.figures.add(taskId, address, this.options.clock.now());
    this.listeners.set(taskId, onUse);
    this.tickLater();
    return {
      heard: (use) => this.heard(taskId, use),
      stop: () => {
        this.figures.remove(taskId);
        this.listeners.delete(taskId);
        const question = this.questions.get(address);
        if (question && !this.figures.watches(address)) question.abort();
      },
    };
  }

  private heard(taskId: string, use: TaskUse): void {
    if (this.figures.heard(taskId, use.elapsedMs)) this.listeners.get(taskId)?.(use);
  }

  private tickLater(): void {
    if (this.ticking || this.figures.size === 0) return;
    this.ticking = true;
    this.options.clock.schedule(FIGURES_AGE_MS_MAX, () => {
      this.ticking = false;
      for (const address of this.figures.ask(this.options.clock.now())) void this.ask(address);
      this.tickLater();
    });
  }

  /** A worker that does not answer is asked again at the next tick, as long as there is a reason. */
  private async ask(address: string): Promise<void> {
    const question = new AbortController();
    this.questions.set(address, question);
    const uses = await this.options.tasks.list(address, question.signal);
    this.questions.delete(address);
    this.figures.answered(address);
    for (const [taskId, use] of uses) this.heard(taskId, use);
  }
}
