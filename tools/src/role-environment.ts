// Settings for the roles of a local cluster, from the environment of whoever starts it: each role refuses a name that it does
// not know, so each gets the variables of its own settings only.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import type { Role } from './local-node.js';

export const ROLES: readonly Role[] = ['resource-manager', 'coordinator', 'worker'];

type Variables = Readonly<Record<string, string>>;

/** What the command line of `npm start` says instead, if it can. */
const OWN: Readonly<Record<string, string>> = {
  TUTTI_CATALOGS_PATH: 'use --catalogs',
  TUTTI_CATALOGS_DEFAULT: 'use --catalog',
  TUTTI_RESOURCE_GROUPS_FILE: 'use --resource-groups',
  TUTTI_EDGE_PORT: 'use --edge-port',
  ...Object.fromEntries(
    ['NODE_ID', 'NODE_HOST', 'NODE_EXIT_WITH_STDIN', 'BIND_HOST', 'CLUSTER_PORT', 'METRICS_PORT', 'HEALTH_PORT']
      .concat('RESOURCE_MANAGERS_ADDRESSES', 'SEATS_IDS', 'SEATS_FIRST_START', 'LOG_FORMAT')
      .map((name) => [`TUTTI_${name}`, 'npm start sets it itself']),
  ),
  TUTTI_CONFIG: 'the roles have different settings: set them by variables',
};
/** Of the command line client and the tools. */
const OTHERS = new Set(['TUTTI_SERVER', 'TUTTI_USER', 'TUTTI_ROOT']);

/**
 * The TUTTI_ variables of `env` that each role is to have, or a line for each one that none can have. `settingsOf` gives the
 * variables that a role knows; it is asked only when there are any.
 */
export function roleEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  settingsOf: (role: Role) => ReadonlySet<string>,
): { readonly ok: Readonly<Record<Role, Variables>> } | { readonly problems: readonly string[] } {
  const given = Object.entries(env).flatMap(([name, value]): [string, string][] =>
    name.startsWith('TUTTI_') && !OTHERS.has(name) && value !== undefined ? [[name, value]] : [],
  );
  const ok: Record<Role, Record<string, string>> = { 'resource-manager': {}, coordinator: {}, worker: {} };
  const problems: string[] = [];
  if (given.length === 0) return { ok };
  const known = ROLES.map((role) => ({ role, names: settingsOf(role) }));
  for (const [name, value] of given) {
    const roles = known.filter(({ names }) => names.has(name));
    const own = OWN[name];
    if (own !== undefined) problems.push(`${name} is not for npm start: ${own}`);
    else if (roles.length === 0) problems.push(`unknown environment variable ${name}: no role has such a setting`);
    for (const { role } of roles) ok[role][name] = value;
  }
  return problems.length > 0 ? { problems } : { ok };
}

/** The variables that a role knows, by its own help. */
export function settingsOfRole(root: string, role: Role): ReadonlySet<string> {
  const help = spawnSync(process.execPath, [join(root, 'apps', role, 'bundle', 'main.mjs'), '--help'], {
    encoding: 'utf8',
  });
  if (help.status !== 0) throw new Error(`${role} does not tell its settings: ${help.stderr}`);
  return new Set(help.stdout.match(/\bTUTTI_[A-Z0-9_]+/g));
}
