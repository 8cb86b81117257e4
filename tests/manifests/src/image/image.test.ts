import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { validate } from 'dockerfile-utils';
import { repositoryRoot } from '../kustomize.js';
import { rolePorts } from '../ports.js';
import { contextFilter } from './build-context.js';
import { copiesOf, instructionsOf, parseStages, type Stage } from './dockerfile.js';
import { dockerfileText } from './image-layout.js';

const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as { version: string };

describe('the Dockerfile', () => {
  const stages = parseStages(dockerfileText);
  const final = stages.at(-1) as Stage;

  it('is well formed', () => {
    expect(validate(dockerfileText)).toEqual([]);
    expect(validate('FROM node:20\nCOPPY a b\n')).toHaveLength(1);
  });

  it('builds and runs on one pinned image', () => {
    for (const { from } of stages) expect(from).toMatch(/^node:\d+\.\d+\.\d+-[a-z]+-slim$/);
    expect(new Set(stages.map(({ from }) => from)).size).toBe(1);
  });

  it('runs Node as process 1, without a shell and without npm', () => {
    const [entrypoint] = instructionsOf(final, 'ENTRYPOINT');
    expect(entrypoint).toMatchObject({ isExec: true });
    expect(entrypoint?.args[0]).toBe('node');
    expect(instructionsOf(final, 'CMD')).toMatchObject([{ isExec: true }]);
    expect(instructionsOf(final, 'RUN')).toEqual([]);
  });

  it('runs as a user that is not root, by number', () => {
    const user = instructionsOf(final, 'USER').at(-1)?.args[0];
    expect(user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(final.instructions.findLastIndex(({ name }) => name === 'USER')).toBeGreaterThan(
      final.instructions.findLastIndex(({ name }) => name === 'COPY'),
    );
  });

  it('exposes the ports of the roles and carries the version of the project', () => {
    expect(instructionsOf(final, 'EXPOSE')[0]?.args.map(Number)).toEqual(Object.values(rolePorts));
    expect(dockerfileText).toContain(`org.opencontainers.image.version="${version}"`);
  });

  it('takes nothing from the context into the image, only what the build stage made', () => {
    expect(copiesOf(final).filter(({ stage }) => stage !== stages[0]?.name)).toEqual([]);
  });
});

describe('.dockerignore', () => {
  it('lets in sources and nothing else', () => {
    const admits = contextFilter(readFileSync(join(repositoryRoot, '.dockerignore'), 'utf8'));
    const inside = [
      'package.json',
      '.npmrc',
      'apps/worker/src/main.ts',
      'tools/bundle.mjs',
      'tests/cluster/package.json',
    ];
    const outside = ['.git/config', 'node_modules/x', 'libs/sql/node_modules/x', 'apps/worker/bundle/main.mjs', '.env'];
    const tests = ['tests/cluster/src/harness.ts', 'libs/sql/src/catalog.test.ts', 'k8s/base/worker.yaml'];
    expect(inside.filter((path) => !admits(path))).toEqual([]);
    expect([...outside, ...tests].filter(admits)).toEqual([]);
  });
});
