import winston from 'winston';
import { stackOf } from './stacks.js';

/** Fields of an event: named as in the code, units last. Errors may be passed as they are. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Writes events. An event is one word in lower case (with hyphens), never a sentence; what it is about stands in the
 * fields. Do not log per message of a stream: count it in a metric.
 */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** The same log with more fields on every line. One per component, not one per call. */
  child(fields: LogFields): Log;
  /** Ask before building costly fields for debug(). */
  isDebugEnabled(): boolean;
}

export interface CreateLogOptions {
  /** debug, info, warn or error. */
  readonly level: string;
  readonly format: 'auto' | 'json' | 'text';
  /** On every line: the node and its role. */
  readonly fields: LogFields;
  /** Where lines go; the default is the process's standard output. */
  readonly stream?: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/** A log that writes lines to standard output: JSON, or coloured text when that is a terminal. */
export function createLog(options: CreateLogOptions): Log {
  const stream = options.stream ?? process.stdout;
  const asText = options.format === 'text' || (options.format === 'auto' && stream.isTTY === true);
  const logger = winston.createLogger({
    level: options.level,
    format: asText ? textLine({ color: stream.isTTY === true }) : jsonLine(),
    transports: [new winston.transports.Stream({ stream, eol: '\n' })],
  });
  return new WinstonLog(logger, options.fields);
}

class WinstonLog implements Log {
  constructor(
    private readonly logger: winston.Logger,
    private readonly fields: LogFields,
  ) {}

  debug(event: string, fields?: LogFields): void {
    if (this.isDebugEnabled()) this.write('debug', event, fields);
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
    return new WinstonLog(this.logger, { ...this.fields, ...fields });
  }
  isDebugEnabled(): boolean {
    return this.logger.levels[this.logger.level] === this.logger.levels['debug'];
  }

  private write(level: string, event: string, fields: LogFields | undefined): void {
    // The fields travel in one property: winston itself gives meaning to some names (message, level, splat).
    this.logger.log({ level, message: event, [FIELDS]: { ...this.fields, ...fields } });
  }
}

const FIELDS = Symbol('fields');
const MESSAGE = Symbol.for('message');

/** One JSON.stringify per line: half the cost of winston's own timestamp, errors and json formats. */
const jsonLine = winston.format((info) => {
  const fields = info[FIELDS as unknown as string] as LogFields;
  const head = { time: new Date().toISOString(), level: info.level, event: info.message };
  info[MESSAGE as unknown as string] = JSON.stringify({ ...head, ...fields }, plain);
  return info;
});

const COLORS: Readonly<Record<string, string>> = {
  debug: '\x1b[90m',
  info: '\x1b[36m',
  warn: '\x1b[33m',
  error: '\x1b[31m',
};
const RESET = '\x1b[0m';

const textLine = winston.format((info, options) => {
  const fields = info[FIELDS as unknown as string] as LogFields;
  const { color } = options as { color: boolean };
  const level = info.level.padEnd(5);
  const shown = color ? `${COLORS[info.level] ?? ''}${level}${RESET}` : level;
  const details = Object.entries(fields).map(([name, value]) => `${name}=${textOf(value)}`);
  const time = new Date().toISOString().slice(11, 23);
  info[MESSAGE as unknown as string] = [time, shown, String(info.message), ...details].join(' ');
  return info;
});

/** Lets JSON show what it would lose (errors) or refuse (bigint). */
function plain(_key: string, value: unknown): unknown {
  if (value instanceof Error) {
    const cause = value.cause === undefined ? {} : { cause: value.cause };
    return { name: value.name, message: value.message, stack: stackOf(value), ...cause };
  }
  return typeof value === 'bigint' ? String(value) : value;
}

function textOf(value: unknown): string {
  if (value instanceof Error) return stackOf(value);
  if (typeof value === 'string') return /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value, plain) ?? 'undefined';
}
