import { findSourceMap } from 'node:module';

/**
 * From now on stacks of errors name places in the program as it runs, and are translated to its sources when they are printed
 * (`stackOf`). Node's streams and grpc-js look at the stack of every error that ends a stream, though nobody reads it. Where
 * Node translates (--enable-source-maps) each look costs, and the first one reads the map of the whole program: for a tenth
 * of a second nothing else happens, on all nodes at once when one node goes away.
 */
export function translateStacksLate(): void {
  Error.prepareStackTrace = (error, places) => [Error.prototype.toString.call(error), ...places].join('\n    at ');
  // What ends the process is printed by Node.
  process.on('uncaughtExceptionMonitor', (error) => {
    if (error instanceof Error) error.stack = stackOf(error);
  });
}

type FindMap = (
  file: string,
) => { findEntry(line: number, column: number): { readonly originalSource?: string } } | undefined;

/** The stack of an error as people want it: with places in the sources, as far as there are maps. */
export function stackOf(error: Error, findMap: FindMap = findSourceMap): string {
  const stack = error.stack ?? error.message;
  return stack.replaceAll(PLACE, (place, file: string, line: string, column: string) => {
    const entry: Partial<Entry> = findMap(file)?.findEntry(Number(line) - 1, Number(column) - 1) ?? {};
    const { originalSource, originalLine, originalColumn } = entry;
    if (originalSource === undefined || originalLine === undefined || originalColumn === undefined) return place;
    return `${originalSource}:${originalLine + 1}:${originalColumn + 1}`;
  });
}

interface Entry {
  readonly originalSource: string;
  /** Both count from 0. */
  readonly originalLine: number;
  readonly originalColumn: number;
}

/** A place in a file: its path or address, line and column. */
const PLACE = /((?:file:\/\/|\/|[A-Za-z]:\\)[^\s()]*):(\d+):(\d+)/g;
