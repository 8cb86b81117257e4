import type { Log, LogFields } from '../log.js';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: LogFields;
}

/** A log that keeps its lines, for tests that look at them. Children write into the same lines. */
export class TestLog implements Log {
  constructor(
    readonly lines: LogLine[] = [],
    private readonly fields: LogFields = {},
  ) {}

  debug(event: string, fields?: LogFields): void {
    this.write('debug', event, fields);
  }
  info(event: string, fields?: LogFields): void {
    this.write('info', event, fields);
  }
  warn(event: string, fields?: LogFields): void {
    this.write('warn', event, fields);
  }
  error(event: string, fields?: LogFields): void {
    this.write('error', event, fields);
  }
  child(fields: LogFields): Log {
    return new TestLog(this.lines, { ...this.fields, ...fields });
  }
  isDebugEnabled(): boolean {
    return true;
  }

  /** The events written so far, in order. */
  events(): string[] {
    return this.lines.map(({ event }) => event);
  }

  private write(level: LogLine['level'], event: string, fields: LogFields = {}): void {
    this.lines.push({ level, event, fields: { ...this.fields, ...fields } });
  }
}
