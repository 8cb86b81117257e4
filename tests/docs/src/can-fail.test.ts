// A check that cannot fail checks nothing: each one is shown the real page with one thing wrong in it.
import { groupProblems } from './group-check.js';
import { groupFacts } from './group-facts.js';
import { linkProblems, pathProblems } from './link-check.js';
import { metricProblems, type Role } from './metric-check.js';
import { read } from './pages.js';
import { programs } from './programs.js';
import { readRoles } from './roles.js';
import { settingProblems } from './setting-check.js';

/** The page after a change that really changed it. */
function changed(page: string, from: string | RegExp, to: string): string {
  const result = page.replace(from, to);
  if (result === page) throw new Error(`the page has no ${from}`);
  return result;
}

describe('the check of settings finds', () => {
  const page = read('docs/configuration.md');

  it.each<[string, string | RegExp, string, RegExp]>([
    [
      'a setting that is left out',
      /^\| `history.keep`.*\n/m,
      '',
      /Coordinator: setting history.keep is not documented/,
    ],
    ['a setting that is no more', '| `task.threads`', '| `task.fibres`', /Worker: setting task.fibres does not exist/],
    ['a wrong default', '`2.5s`', '`3s`', /nodes.suspectAfter is documented as .* default 3s, but is .* default 2.5s/],
    ['a wrong variable', '`TUTTI_LOG_LEVEL`', '`TUTTI_LEVEL`', /log.level is documented as TUTTI_LEVEL/],
    ['a choice that is left out', '`debug`, ', '', /log.level: the choice debug is not documented/],
    ['a relation that is left out', /^- `task.maxTasks must.*\n/m, '', /relation task.maxTasks must .* not documented/],
    ['a relation that is no more', 'at least 16MB`', 'at least 1MB`', /at least 1MB does not exist/],
    ['a section that is missing', '## Worker', '## Servant', /there is no section "Worker"/],
    ['a counterpart that is none', /(discovery.max-age.*)`nodes.lease`/, '$1`nodes.rent`', /no setting nodes.rent/],
    ['a counterpart that is not explained', 'no counterpart because each role', 'each role', /says not why/],
    ['a made-up setting between processes', 'than `usage.forgetAfter` of', 'than `usage.x` of', /no setting usage.x/],
  ])('%s', (_what, from, to, problem) => {
    expect(settingProblems(changed(page, from, to), programs).join('\n')).toMatch(problem);
  });
});

describe('the check of metrics finds', () => {
  const page = read('docs/metrics.md');
  let roles: Role[];
  beforeAll(async () => {
    roles = await readRoles();
  });

  it.each<[string, string | RegExp, string, RegExp]>([
    ['a metric that is left out', /^\| `tutti_executors`.*\n/m, '', /Worker: metric tutti_executors is not documented/],
    ['a metric that is no more', '| `tutti_nodes`', '| `tutti_knots`', /Resource manager: metric tutti_knots does not/],
    ['a wrong type', /`tutti_tasks_running` +\| gauge/, '`tutti_tasks_running` | counter', /is documented as counter/],
    ['a wrong label', '`outcome`, `reason`', '`outcome`', /labels \[outcome\], but is .* \[outcome, reason\]/],
    ['a label of the library', /`space` /, '`room` ', /labels \[room\], but is gauge with the labels \[space\]/],
    ['a wrong unit', /(`tutti_usage_age_seconds`.*?)\| seconds/, '$1| ms', /the unit of tutti_usage_age_seconds/],
    ['a unit that the name has not', /(`tutti_nodes`.*?)\| nodes/, '$1| bytes', /the unit of tutti_nodes/],
    ['an alert on nothing', 'absent(tutti_resource_manager_synced', 'absent(tutti_synced', /tutti_synced is mentioned/],
  ])('%s', (_what, from, to, problem) => {
    expect(metricProblems(changed(page, from, to), roles).join('\n')).toMatch(problem);
  });

  it('no fault in metrics that only Linux has, elsewhere', () => {
    const elsewhere = roles.map(({ title, metrics }) => ({
      title,
      metrics: new Map([...metrics].filter(([name]) => !/^process_(virtual|heap|open|max)_/.test(name))),
    }));
    expect(metricProblems(page, elsewhere, 'darwin')).toEqual([]);
    expect(metricProblems(page, elsewhere, 'linux')).toContain('Worker: metric process_open_fds does not exist');
  });
});

describe('the check of resource groups finds', () => {
  const page = read('docs/resource-groups.md');
  const facts = groupFacts();

  it.each<[string, string | RegExp, string, RegExp]>([
    ['an example that is refused', '"maxQueued": 1000', '"maxWaiting": 1000', /the example: .* Unknown property/],
    ['an example that sends elsewhere', /`rooty`/, '`root`', /sends root with "tutti" to admin, not to global.adhoc/],
    ['an example with other tags', '`nightly` `large`', '`large`', /to global.pipelines.sales, not to .*nightly/],
    ['words that the program does not say', 'Duplicated root', 'Doubled root', /the wrong example gives:/],
    ['a warning that nobody gives', 'is not a leaf group', 'is no leaf', /the doubtful example gives:/],
    [
      'a property of the file that is left out',
      /^\| `cpuQuotaPeriod`.*\n/m,
      '',
      /property of the file cpuQuotaPeriod is/,
    ],
    ['a property that is left out', /^\| `subGroups`.*\n/m, '', /property of groups subGroups is not documented/],
    ['a property that is none', '| `source`', '| `origin`', /property of selectors origin does not exist/],
    ['a refused expression that is accepted', '`a++`', '`a+`', /possessive quantifiers are supported/],
    ['a wrong bound', 'nested 16 deep', 'nested as you like', /the page does not say: nested 16 deep/],
    ['a wrong default', '1,000 wait', '999 wait', /the page does not say: 100 queries run, 1,000 wait/],
    ['a sentence that nobody says', 'and others came first', 'and you are late', /sentence .*you are late.* not exist/],
    ['a kind that is left out', /^\| `WAIT_KIND_MEMORY_LIMIT`.*\n/m, '', /kind WAIT_KIND_MEMORY_LIMIT is not docum/],
    [
      'a wait for workers in other words',
      'none is active',
      'all are tired',
      /no coordinator says that there is no worker/,
    ],
  ])('%s', (_what, from, to, problem) => {
    expect(groupProblems(changed(page, from, to), facts).join('\n')).toMatch(problem);
  });
});

describe('the check of links finds', () => {
  const files = {
    exists: (path: string) => ['docs/errors.md', 'docs/a.md', 'docs'].includes(path),
    read: () => '# Errors\n\n## Why & what, then?\n',
  };

  it.each<[string, string, string[]]>([
    ['a file that is not there', '[x](no.md)', ['docs/a.md: no.md leads to no file']],
    ['a file outside of the repository', '[x](../../etc)', ['docs/a.md: ../../etc leads to no file']],
    ['a heading that is not there', '[x](errors.md#nothing)', ['docs/a.md: errors.md#nothing leads to no heading']],
    ['a heading of the page itself', '# A\n[x](#b)', ['docs/a.md: #b leads to no heading']],
    ['no fault in what is right', '[x](errors.md#why--what-then) [y](../docs) [z](https://x.test) [a](#a)\n# A', []],
    ['no links in code', '`[x](no.md)`\n\n```\n[x](no.md)\n```\n', []],
  ])('%s', (_what, page, problems) => {
    expect(linkProblems('docs/a.md', page, files)).toEqual(problems);
  });

  it('paths of ARCHITECTURE.md that are not there', () => {
    const page = read('ARCHITECTURE.md');
    const gone = (path: string) => (candidate: string) => candidate !== path;
    expect(pathProblems(page, gone('libs/engine'))).toEqual(['there is no libs/engine']);
    expect(pathProblems(page, gone('apps/*'))).toEqual(['there is no apps/*']);
    expect(pathProblems(page, gone('libs/resource-groups/src/group-tree.ts'))).toHaveLength(1);
    expect(pathProblems('# Nothing', () => true)).toEqual(['there is no table of paths in "Where things are"']);
  });
});
