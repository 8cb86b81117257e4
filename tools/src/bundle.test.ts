import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');

describe('a bundle', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tutti-bundle-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is not made in a folder that holds something: a second project, named by mistake, lost its sources', () => {
    writeFileSync(join(folder, 'package.json'), '{}');
    const { status, stderr } = spawnSync(process.execPath, ['tools/bundle.mjs', 'apps/cli', folder], { cwd: root });
    expect(`${stderr}`).toBe(
      `${folder} is not empty: name a folder that is, or none for ${join('apps/cli', 'bundle')}.\n`,
    );
    expect(status).toBe(1);
    expect(readdirSync(folder)).toEqual(['package.json']);
  });
});
