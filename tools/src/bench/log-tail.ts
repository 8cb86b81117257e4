import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** A line of a log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** Reads what is added to a log of JSON lines, from one call to the next. */
export class LogTail {
  private offset = 0;

  constructor(private readonly file: string) {}

  /** Whole lines since the last call; what is no JSON object, such as a crash message, is left out. */
  read(): readonly LogLine[] {
    const handle = openSync(this.file, 'r');
    try {
      const bytes = Buffer.alloc(Math.max(0, fstatSync(handle).size - this.offset));
      const count = readSync(handle, bytes, 0, bytes.length, this.offset);
      const end = bytes.subarray(0, count).lastIndexOf('\n') + 1;
      this.offset += end;
      return bytes
        .toString('utf8', 0, end)
        .split('\n')
        .map(parsed)
        .filter((line) => line !== undefined);
    } finally {
      closeSync(handle);
    }
  }
}

function parsed(line: string): LogLine | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return undefined; // Cut by a kill -9.
  }
}
