// Fails when libs/contracts/src/gen is not what buf generates from proto/ now. Compares content, so it needs no clean tree.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'tutti-gen-'));
const files = (dir) =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
    .sort();

try {
  const template = join(scratch, 'buf.gen.yaml');
  writeFileSync(template, readFileSync(join(root, 'buf.gen.yaml'), 'utf8'));
  const result = spawnSync(
    process.execPath,
    [join(root, 'node_modules/@bufbuild/buf/bin/buf'), 'generate', '--template', template, '-o', scratch],
    {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` },
    },
  );
  if (result.status !== 0) throw new Error(result.stderr);
  const fresh = join(scratch, 'libs/contracts/src/gen');
  const committed = join(root, 'libs/contracts/src/gen');
  const names = [...new Set([...files(fresh), ...files(committed)])];
  const read = (dir, name) => (files(dir).includes(name) ? readFileSync(join(dir, name), 'utf8') : undefined);
  const stale = names.filter((name) => read(fresh, name) !== read(committed, name));
  if (stale.length > 0) {
    console.error(`stale: ${stale.join(', ')}`);
    process.exitCode = 1;
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
