import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parseScale, type Scale, SCALE_MAX, SCALE_MIN } from './scale.js';

export interface TpchOptions {
  readonly scale: Scale;
  /** Absolute path of the directory that will hold the data. */
  readonly directory: string;
  readonly threads: number;
  readonly force: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

/** Node runs statements of the engine on its thread pool: more threads than that would only wait for each other. */
export const threadsMax = (env: NodeJS.ProcessEnv): number => Math.max(1, Number(env['UV_THREADPOOL_SIZE'] ?? 4) || 4);

export const TPCH_USAGE = `npm run gen -- tpch [options]

Makes the eight tables of TPC-H as Parquet files, with a catalog file beside them.
The same scale gives the same files every time. If they are already there, nothing is done.

  --scale N       scale factor, ${SCALE_MIN} to ${SCALE_MAX} in steps of 0.01; 1 is 6 million lines and 0.3 GB (default 0.01)
  --out DIR       directory for the data (default .tutti/data/tpch-N)
  --threads N     files that are written at once (default: the processors, at most 4)
  --force         make the data anew, in place of what an earlier run left
  --json          print one JSON object on standard output at the end
  --quiet         print nothing but errors
`;

/** Reads the command line: the options, or what is wrong with it. Relative paths are seen from `root`. */
export function parseTpchOptions(
  args: string[],
  root: string,
  env: NodeJS.ProcessEnv,
): { readonly ok: TpchOptions } | { readonly problem: string } | { readonly help: true } {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        scale: { type: 'string', default: '0.01' },
        out: { type: 'string' },
        threads: { type: 'string' },
        force: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        quiet: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
  if (values.help) return { help: true };
  const scale = parseScale(values.scale);
  if (scale === undefined) {
    return {
      problem: `--scale takes a number from ${SCALE_MIN} to ${SCALE_MAX} in steps of 0.01, not '${values.scale}'`,
    };
  }
  const most = threadsMax(env);
  const threads = values.threads === undefined ? Math.min(availableParallelism(), most) : Number(values.threads);
  if (!Number.isInteger(threads) || threads < 1 || threads > most) {
    const reason = 'the size of the thread pool of Node.js, which UV_THREADPOOL_SIZE sets';
    return { problem: `--threads takes a number from 1 to ${most} (${reason}), not '${values.threads}'` };
  }
  if (values.out === '') return { problem: '--out takes a directory' };
  const directory = resolve(root, values.out ?? join('.tutti', 'data', `tpch-${scale.factor}`));
  return { ok: { scale, directory, threads, force: values.force, json: values.json, quiet: values.quiet } };
}
