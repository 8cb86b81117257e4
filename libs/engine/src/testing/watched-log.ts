import type { Log, LogFields } from '@tutti/service';

/** A log that one can wait on: for events of other processes, which no fake clock moves. */
export class WatchedLog implements Log {
  private readonly events: string[] = [];
  private readonly waiting = new Map<string, () => void>();

  /** Resolves when `event` has been logged. */
  seen(event: string): Promise<void> {
    if (this.events.includes(event)) return Promise.resolve();
    return new Promise((resolve) => this.waiting.set(event, resolve));
  }

  debug(event: string, _fields?: LogFields): void {
    this.note(event);
  }
  info(event: string, _fields?: LogFields): void {
    this.note(event);
  }
  warn(event: string, _fields?: LogFields): void {
    this.note(event);
  }
  error(event: string, _fields?: LogFields): void {
    this.note(event);
  }
  child(): Log {
    return this;
  }
  isDebugEnabled(): boolean {
    return true;
  }

  private note(event: string): void {
    this.events.push(event);
    this.waiting.get(event)?.();
  }
}
