import { groupProblems } from './group-check.js';
import { groupFacts } from './group-facts.js';
import { linkProblems, pathProblems } from './link-check.js';
import { metricProblems } from './metric-check.js';
import { exists, matches, pages, read } from './pages.js';
import { programs } from './programs.js';
import { readRoles } from './roles.js';
import { settingProblems } from './setting-check.js';

describe('the documentation', () => {
  it('lists every setting with its name in the environment and its default, and every relation', () => {
    expect(settingProblems(read('docs/configuration.md'), programs)).toEqual([]);
  });

  it('lists every metric with its type, labels and unit, and alerts on no other', async () => {
    expect(metricProblems(read('docs/metrics.md'), await readRoles())).toEqual([]);
  });

  it('tells of resource groups what the programs do', () => {
    expect(groupProblems(read('docs/resource-groups.md'), groupFacts())).toEqual([]);
  });

  it.each(pages)('has no dead link in %s', (path) => {
    expect(linkProblems(path, read(path), { exists, read })).toEqual([]);
  });

  it('is linked and checked as a whole', () => {
    expect(pages).toEqual(expect.arrayContaining(['ARCHITECTURE.md', 'CONTRIBUTING.md', 'docs/errors.md']));
    expect(pages).toEqual(expect.arrayContaining(['k8s/README.md', 'catalogs/README.md']));
    expect(pages.filter((path) => path.startsWith('docs/adr/')).length).toBeGreaterThan(3);
  });

  it('names only paths that exist in ARCHITECTURE.md', () => {
    expect(pathProblems(read('ARCHITECTURE.md'), matches)).toEqual([]);
  });
});
