import { parseArgs } from 'node:util';

/** How queries start in a group, as the file of resource groups says. */
export const MODES = ['presto', 'gated', 'leased'] as const;
export type Mode = (typeof MODES)[number];

/** What goes wrong while queries run and wait. Always in mode leased: the others promise nothing then. */
export const FAULTS = ['coordinator-frozen', 'owner-killed', 'owner-stopped', 'partition'] as const;
export type Fault = (typeof FAULTS)[number];

export interface AdmissionOptions {
  /** The group's limit, L. */
  readonly limit: number;
  readonly modes: readonly Mode[];
  readonly faults: readonly Fault[];
}

/** Presto's rule starts up to 4 x L queries at once, and each takes a process of a worker. */
const LIMIT_MAX = 12;

export const ADMISSION_USAGE = `npm run bench -- admission [options]      one limit, many coordinators, on real processes

  --limit L        the limit of the group (default 8, from 4 to ${LIMIT_MAX})
  --modes LIST     which of ${MODES.join(', ')} to compare (default: all; "none")
  --faults LIST    which of ${FAULTS.join(', ')}
                   to go through in mode leased (default: all; "none")
  --json           print one JSON object instead of tables
`;

/** Reads the options after the name; the answer is a text for the user when they are wrong or ask for help. */
export function parseAdmissionOptions(
  argv: readonly string[],
): AdmissionOptions | { readonly usage: string; readonly exitCode: number } {
  let values;
  try {
    values = parseArgs({
      args: [...argv],
      options: {
        help: { type: 'boolean', default: false },
        limit: { type: 'string', default: '8' },
        modes: { type: 'string', default: MODES.join(',') },
        faults: { type: 'string', default: FAULTS.join(',') },
      },
    }).values;
  } catch (error) {
    return { usage: `${error instanceof Error ? error.message : String(error)}\n\n${ADMISSION_USAGE}`, exitCode: 2 };
  }
  if (values.help) return { usage: ADMISSION_USAGE, exitCode: 0 };
  const problems: string[] = [];
  const limit = Number(values.limit);
  if (!Number.isInteger(limit) || limit < 4 || limit > LIMIT_MAX)
    problems.push(`--limit must be a whole number from 4 to ${LIMIT_MAX}, was ${JSON.stringify(values.limit)}`);
  const modes = listOf('modes', values.modes, MODES, problems);
  const faults = listOf('faults', values.faults, FAULTS, problems);
  if (problems.length === 0 && modes.length + faults.length === 0)
    problems.push('no modes and no faults: nothing to do');
  if (problems.length > 0) return { usage: `${problems.join('\n')}\n\n${ADMISSION_USAGE}`, exitCode: 2 };
  return { limit, modes, faults };
}

/** In the order in which they are run, each once. */
function listOf<T extends string>(name: string, text: string, known: readonly T[], problems: string[]): readonly T[] {
  if (text === 'none') return [];
  const given = new Set(text.split(',').map((part) => part.trim()));
  for (const part of given)
    if (!known.some((value) => value === part))
      problems.push(`--${name} takes ${known.join(', ')} or "none", was ${JSON.stringify(part)}`);
  return known.filter((value) => given.has(value));
}
