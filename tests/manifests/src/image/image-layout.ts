import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { invariant } from '@tutti/base';
import { repositoryRoot } from '../kustomize.js';
import { copyContext, installFromRepository } from './build-context.js';
import { copiesOf, instructionsOf, parseStages, type Stage, workingDirectory } from './dockerfile.js';

export const dockerfileText = readFileSync(join(repositoryRoot, 'Dockerfile'), 'utf8');

/** The files of the image, put together by doing what the Dockerfile says, but without Docker and without a registry. */
export class ImageLayout {
  private constructor(
    /** Stands for / of the image. */
    readonly root: string,
    private readonly directory: string,
    readonly stage: Stage,
  ) {}

  /** Takes a few seconds: bundles every program and copies the native parts and the demo data. */
  static assemble(): ImageLayout {
    const [build, final, ...more] = parseStages(dockerfileText);
    invariant(build?.name !== undefined && final !== undefined && more.length === 0, 'the Dockerfile has two stages');
    const directory = mkdtempSync(join(tmpdir(), 'tutti-image-'));
    try {
      runBuildStage(build, join(directory, 'build', workingDirectory(build)));
      const root = join(directory, 'image');
      for (const copy of copiesOf(final)) {
        invariant(copy.stage === build.name, `COPY ${copy.source} comes from the stage ${build.name}`);
        const from = join(directory, 'build', copy.source);
        if (!existsSync(from)) throw new Error(`COPY ${copy.source}: the stage ${build.name} has no such file`);
        mkdirSync(dirname(join(root, copy.target)), { recursive: true });
        cpSync(from, join(root, copy.target), { recursive: true, dereference: true });
      }
      return new ImageLayout(root, directory, final);
    } catch (error) {
      rmSync(directory, { recursive: true, force: true });
      throw error;
    }
  }

  /** Where a path of the image is on this machine. */
  path(inImage: string): string {
    return join(this.root, inImage);
  }

  has(inImage: string): boolean {
    return existsSync(this.path(inImage));
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Does what the build stage does, in `source`; packages come from this repository instead of a registry. */
function runBuildStage(build: Stage, source: string): void {
  copyContext(source);
  for (const { text } of instructionsOf(build, 'RUN')) {
    if (text.startsWith('npm install')) installFromRepository(source);
    else run(text, source);
  }
}

function run(command: string, cwd: string): void {
  const result = spawnSync('sh', ['-c', command], { cwd, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`RUN ${command}: ${result.stderr}`);
}
