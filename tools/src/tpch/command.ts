import { rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { formatSize } from '@tutti/base';
import { CATALOG_FILE, tpchCatalog } from './catalog-file.js';
import { createPartial, freeBytes, inspectDirectory, publish, writeMarker } from './directory.js';
import { generate, type GeneratedTables } from './generate.js';
import { parseTpchOptions, TPCH_USAGE, type TpchOptions } from './options.js';
import { describeReport, type ProgressOutput, Reporter, tpchReport } from './reporter.js';
import { expectedBytes } from './scale.js';

/** What the command touches besides the disk; a test gives its own. */
export interface TpchSurroundings {
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly stdout: ProgressOutput;
  readonly stderr: ProgressOutput;
}

/** `npm run gen -- tpch`. Returns the exit code: 0 done or already there, 1 failed, 2 wrong use, 130 interrupted. */
export async function tpch(args: string[], given: Partial<TpchSurroundings> = {}): Promise<number> {
  const { env = process.env, stdout = process.stdout, stderr = process.stderr } = given;
  const parsed = parseTpchOptions(args, given.root ?? env['TUTTI_ROOT'] ?? process.cwd(), env);
  if ('help' in parsed) {
    stdout.write(TPCH_USAGE);
    return 0;
  }
  if ('problem' in parsed) {
    stderr.write(`${parsed.problem}\n\n${TPCH_USAGE}`);
    return 2;
  }
  const options = parsed.ok;
  const reporter = new Reporter(options.quiet ? { write: () => undefined } : stderr);
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort(new Interrupted());
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, interrupt);
  const startedMs = performance.now();
  try {
    const { tables, alreadyThere } = await provide(options, reporter, interrupted.signal);
    const { directory } = options;
    const seconds = Math.round(performance.now() - startedMs) / 1000;
    const catalog = join(directory, CATALOG_FILE);
    const report = tpchReport({ scale: options.scale.factor, directory, catalog, alreadyThere, seconds }, tables);
    reporter.line(describeReport(report));
    if (options.json) stdout.write(`${JSON.stringify(report)}\n`);
    return 0;
  } catch (error) {
    reporter.end();
    if (error instanceof Interrupted) {
      stderr.write('Interrupted; nothing was left behind.\n');
      return 130;
    }
    const reason = explain(error, options.directory);
    if (reason === undefined) throw error;
    stderr.write(`${reason}\n`);
    return 1;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, interrupt);
  }
}

class Interrupted extends Error {}

/** An end that people bring about and can mend; the message says how. */
class Refused extends Error {}

async function provide(
  options: TpchOptions,
  reporter: Reporter,
  signal: AbortSignal,
): Promise<{ tables: GeneratedTables; alreadyThere: boolean }> {
  const { scale, directory, threads, force } = options;
  const found = await inspectDirectory(directory, scale.factor);
  if (found.kind === 'complete' && !force) return { tables: found.tables, alreadyThere: true };
  if (found.kind === 'foreign') throw new Refused(`${directory} ${found.why}. Name another directory with --out.`);
  if (found.kind === 'other' && !force) {
    throw new Refused(`${directory} ${found.why}. Replace it with --force, or name another directory with --out.`);
  }
  const partial = await createPartial(directory);
  try {
    const [needed, free] = [expectedBytes(scale), await freeBytes(partial)];
    if (free < needed) {
      const where = dirname(directory);
      throw new Refused(
        `Scale ${scale.factor} needs about ${formatSize(needed)}, and ${where} has ${formatSize(free)} free. Name another directory with --out, or a smaller --scale.`,
      );
    }
    reporter.line(`Making TPC-H data at scale ${scale.factor} in ${directory}`);
    const onProgress = reporter.progress.bind(reporter);
    const tables = await generate({ scale, directory: partial, threads, signal, onProgress });
    await writeFile(
      join(partial, CATALOG_FILE),
      `${JSON.stringify(tpchCatalog(scale.factor, tables), undefined, 2)}\n`,
    );
    await writeMarker(partial, scale.factor, tables);
    await publish(partial, directory, found.kind !== 'nothing');
    return { tables, alreadyThere: false };
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
  EROFS: 'it is read-only',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'a part of the path is a file',
  ENAMETOOLONG: 'the path is too long',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota of this user is used up',
  ENOTEMPTY: 'another process wrote it in the meantime; look at it and run this again',
};

/** A sentence for people about a failure of the disk or the engine; undefined when it is a bug of ours. */
function explain(error: unknown, directory: string): string | undefined {
  if (error instanceof Refused) return error.message;
  const { code, message } = error as Partial<NodeJS.ErrnoException>;
  if (message === undefined) return undefined;
  if (code !== undefined) {
    const problem = Object.hasOwn(FILE_PROBLEMS, code) ? FILE_PROBLEMS[code] : message;
    return `Cannot write ${directory}: ${problem} (${code}). Name another directory with --out.`;
  }
  if (/no space left on device/i.test(message)) {
    return `Cannot write ${directory}: the disk is full. Free some space, or name another directory with --out.`;
  }
  return /^(IO|Out of Memory) Error/.test(message) ? `Cannot write ${directory}: ${message}` : undefined;
}
