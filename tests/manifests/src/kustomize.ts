import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export const repositoryRoot = join(__dirname, '..', '..', '..');

/** What can be deployed: the base and each overlay, by their folder under k8s/. */
export const kustomizations: readonly string[] = [
  'base',
  ...readdirSync(join(repositoryRoot, 'k8s', 'overlays')).map((name) => `overlays/${name}`),
].filter((name) => existsSync(join(repositoryRoot, 'k8s', name, 'kustomization.yaml')));

/** Whether `kubectl kustomize` can be run here; it needs neither a cluster nor a network. */
export const canBuild = spawnSync('kubectl', ['kustomize', '--help']).status === 0;

/** For the names of tests that need kubectl: says that they are skipped, and why. */
export const unlessSkipped = canBuild ? '' : ' (skipped: there is no kubectl here)';

/** The manifests of `kustomization` as one YAML text. Throws with kubectl's own words when they cannot be built. */
export const build = (kustomization: string): string => buildDirectory(join('k8s', kustomization));

/** The same for any folder. */
export function buildDirectory(directory: string): string {
  const result = spawnSync('kubectl', ['kustomize', directory], {
    cwd: repositoryRoot,
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  });
  if (result.status !== 0) throw new Error(`kubectl kustomize ${directory}: ${result.stderr}`);
  return result.stdout;
}
