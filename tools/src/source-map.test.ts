import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

describe('the source map of a bundle', () => {
  const project = mkdtempSync(join(tmpdir(), 'tutti-bundle-'));
  const write = (path: string, lines: readonly string[]) => {
    mkdirSync(join(project, path, '..'), { recursive: true });
    writeFileSync(join(project, path), lines.join('\n'));
  };
  afterAll(() => rmSync(project, { recursive: true, force: true }));

  it('names the lines of our sources, and maps nothing of a package: Node keeps all of it in memory', () => {
    write('package.json', ['{ "type": "module" }']);
    write('node_modules/thrower/package.json', ['{ "name": "thrower", "type": "module", "main": "main.js" }']);
    write('node_modules/thrower/main.js', ['// One line.', 'export const run = (call) => {', '  call();', '};']);
    write('src/other.ts', ['', '', 'export function fail(): never {', "  throw new Error('broken');", '}']);
    write('src/main.ts', [
      "import { run } from 'thrower';",
      "import { fail } from './other.js';",
      'type Unused = string;',
      'run(() => fail());',
    ]);
    const bundle = spawnSync(process.execPath, [join(root, 'tools/bundle.mjs'), project], { cwd: root });
    expect(`${bundle.stderr}`).toBe('');

    const map = readFileSync(join(project, 'bundle/main.mjs.map'), 'utf8');
    const { mappings } = JSON.parse(map) as { mappings: string };
    expect(mappings.split(/[;,]/).filter((segment) => segment !== '').length).toBeLessThan(12);
    const { stderr } = spawnSync(process.execPath, ['--enable-source-maps', join(project, 'bundle/main.mjs')]);
    const places = [...`${stderr}`.matchAll(/at .*?(\w+\.\w+:\d+):\d+\)?$/gm)].map(([, place]) => place);
    expect(places.slice(0, 4)).toEqual(['other.ts:4', 'main.ts:4', expect.stringMatching(/^main\.mjs:/), 'main.ts:4']);
  });
});
