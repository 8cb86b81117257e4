// The door to every command of this repository: `npm start`, `npm test`, `npm run bench|sim|gen|check`.
// Plain JavaScript on Node's own modules, since on a fresh machine nothing else is there yet. It installs what is
// missing, bundles what changed (nx remembers), and hands over to tools/src/main.ts.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const [command = 'help', ...args] = process.argv.slice(2);
const log = (text) => process.stderr.write(`${text}\n`);

function requireNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  log(`Tutti needs Node.js 20.19 or newer; this is ${process.versions.node}. Install a newer one and run this again.`);
  process.exit(1);
}

/** Changes when any manifest changes, so that a pull that adds a dependency installs it. */
function manifestsHash() {
  const hash = createHash('sha256');
  const dirs = ['libs', 'apps', 'tests'].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => `${group}/${name}`),
  );
  for (const file of ['package.json', 'package-lock.json', ...[...dirs, 'tools'].map((dir) => `${dir}/package.json`)]) {
    const path = join(root, file);
    if (existsSync(path)) hash.update(file).update(readFileSync(path));
  }
  return hash.digest('hex');
}

function run(what, file, argv, options = {}) {
  const result = spawnSync(file, argv, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...options,
  });
  if (result.status === 0) return;
  log(result.stdout ?? '');
  log(result.stderr ?? '');
  log(`${what} failed${result.error ? `: ${result.error.message}` : ''}. The reason is above.`);
  process.exit(1);
}

function install() {
  const stamp = join(root, 'node_modules', '.tutti-installed');
  const wanted = manifestsHash();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  log('Installing packages (npm install) ...');
  // Not `npm ci`: it refuses lock files that were written where other platforms' optional packages are missing.
  run('npm install', process.platform === 'win32' ? 'npm.cmd' : 'npm', [
    'install',
    '--no-progress',
    '--no-audit',
    '--no-fund',
  ]);
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(stamp, manifestsHash());
}

function bundle() {
  log('Building ...');
  run('The build', process.execPath, ['node_modules/nx/dist/bin/nx.js', 'run-many', '-t', 'bundle']);
}

/** The client asks a running cluster: it must not wait for a build, which may even replace files of that cluster. */
const isBuilt = () =>
  existsSync(join(root, 'tools/bundle/main.mjs')) && existsSync(join(root, 'apps/cli/bundle/main.mjs'));

requireNode();
install();
if (command !== 'tutti' || !isBuilt()) bundle();
const child = spawnSync(
  process.execPath,
  ['--enable-source-maps', join(root, 'tools/bundle/main.mjs'), command, ...args],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, TUTTI_ROOT: root },
  },
);
process.exit(child.status ?? (child.signal === 'SIGINT' ? 130 : 1));
