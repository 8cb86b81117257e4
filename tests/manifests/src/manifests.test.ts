import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parse } from 'yaml';
import { checks } from './checks/index.js';
import { build, buildDirectory, canBuild, kustomizations, repositoryRoot, unlessSkipped } from './kustomize.js';
import { Manifests, yamlProblems } from './manifests.js';
import { schemaProblems } from './schema-check.js';
import { unknownKeys } from './unknown-keys.js';

const k8s = join(repositoryRoot, 'k8s');
const sources = readdirSync(k8s, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(yaml|json)$/.test(name));

describe('the files under k8s/', () => {
  it('give no key twice and are well formed', () => {
    expect(sources.length).toBeGreaterThan(10);
    const problems = sources.flatMap((name) =>
      yamlProblems(readFileSync(join(k8s, name), 'utf8')).map((problem) => `${name}: ${problem}`),
    );
    expect(problems).toEqual([]);
  });

  it('are all used: by a kustomization beside or above them', () => {
    const used = new Set(kustomizations.flatMap((name) => referencedFiles(name)));
    expect(sources.filter((name) => !name.endsWith('kustomization.yaml') && !used.has(name))).toEqual([]);
  });

  it('carry the version of the project, as label and as image tag', () => {
    const { version } = JSON.parse(readFileSync(join(repositoryRoot, 'package.json'), 'utf8')) as { version: string };
    for (const name of kustomizations) {
      const text = readFileSync(join(k8s, name, 'kustomization.yaml'), 'utf8');
      expect([name, ...new Set(text.match(/\b\d+\.\d+\.\d+\b/g))]).toEqual([name, version]);
    }
  });
});

function referencedFiles(kustomization: string): string[] {
  const parsed = parse(readFileSync(join(k8s, kustomization, 'kustomization.yaml'), 'utf8')) as {
    resources?: string[];
    patches?: { path?: string }[];
    configMapGenerator?: { files: string[] }[];
  };
  return [
    ...(parsed.resources ?? []),
    ...(parsed.patches ?? []).flatMap(({ path }) => path ?? []),
    ...(parsed.configMapGenerator ?? []).flatMap(({ files }) => files.map((file) => file.replace(/^[^=]*=/, ''))),
  ].map((file) => join(kustomization, file));
}

/** 'volumesResolve' -> 'volumes resolve'. */
const words = (name: string): string => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const describeBuilt = canBuild ? describe : describe.skip;
if (!canBuild) process.stderr.write('manifest-tests: there is no kubectl here, the overlays are not looked at\n');

describeBuilt.each(kustomizations)(`k8s/%s as kubectl builds it${unlessSkipped}`, (kustomization) => {
  let manifests: Manifests;
  beforeAll(() => {
    manifests = Manifests.parse(build(kustomization));
  });

  it('fits the schemas of Kubernetes', async () => {
    expect((await Promise.all(manifests.objects.map(schemaProblems))).flat()).toEqual([]);
  });

  it('has no key that Kubernetes does not know', () => {
    expect(unknownKeys(manifests.objects)).toEqual([]);
  });

  it.each(Object.entries(checks).map(([name, check]) => [words(name), check] as const))('%s', (_, check) => {
    expect(check(manifests)).toEqual([]);
  });
});

describeBuilt(`an overlay of somebody else${unlessSkipped}`, () => {
  it('that replaces the resource groups leaves them their name, which pods that run are bound to', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tutti-overlay-'));
    const generator = [{ name: 'tutti-resource-groups', behavior: 'replace', files: ['resource-groups.json'] }];
    const overlay = {
      resources: [relative(realpathSync(directory), join(k8s, 'base'))],
      configMapGenerator: generator,
    };
    writeFileSync(join(directory, 'kustomization.yaml'), JSON.stringify(overlay));
    writeFileSync(join(directory, 'resource-groups.json'), '{}');
    try {
      const { data } = Manifests.parse(buildDirectory(directory)).get('ConfigMap', 'tutti-resource-groups');
      expect(data).toEqual({ 'resource-groups.json': '{}' });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});

describeBuilt(`the sizes of the overlays${unlessSkipped}`, () => {
  const sizeOf = (kustomization: string) => {
    const manifests = Manifests.parse(build(kustomization));
    const autoscaled = manifests.all('HorizontalPodAutoscaler');
    return Object.fromEntries(
      manifests.workloads().map(({ role, name, object }) => {
        const autoscaler = autoscaled.find(({ spec }) => spec?.scaleTargetRef.name === name);
        return [role, autoscaler?.spec?.minReplicas ?? object.spec?.replicas];
      }),
    );
  };

  it('are one of each for development, and enough to lose any node for production', () => {
    expect(sizeOf('base')).toEqual({ 'resource-manager': 3, coordinator: 2, worker: 2 });
    expect(sizeOf('overlays/dev')).toEqual({ 'resource-manager': 1, coordinator: 1, worker: 1 });
    expect(sizeOf('overlays/ha')).toEqual({ 'resource-manager': 3, coordinator: 2, worker: 3 });
  });

  it('spread the production overlay over zones strictly', () => {
    const manifests = Manifests.parse(build('overlays/ha'));
    for (const { pod } of manifests.workloads()) {
      const zone = pod.topologySpreadConstraints?.filter(({ topologyKey }) => topologyKey.endsWith('/zone'));
      expect(zone).toMatchObject([{ whenUnsatisfiable: 'DoNotSchedule', maxSkew: 1 }]);
      expect(pod.affinity?.podAntiAffinity).toBeDefined();
    }
  });
});
