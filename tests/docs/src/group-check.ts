// docs/resource-groups.md against the reader of the file and the machine.
import { WaitKind } from '@tutti/contracts/tutti/query/v1/query_pb';
import { defaultGroupConfig, parseGroupConfig, selectGroup } from '@tutti/resource-groups';
import { differences } from './compare.js';
import { codeBlocks, codeSpans, section, tableRows } from './markdown.js';
import { leasedWaits } from './lease-sentences.js';
import { waitExplanations } from './wait-sentences.js';

/** Facts of the sources that the reader of the file does not tell by itself. */
export interface GroupFacts {
  /** What a coordinator says of a query that waits for a worker. */
  readonly placement: string;
}

/** All that the page says wrongly or not at all. */
export const groupProblems = (page: string, facts: GroupFacts): string[] => [
  ...exampleProblems(page),
  ...wrongExampleProblems(page),
  ...doubtfulExampleProblems(page),
  ...propertyProblems(page),
  ...patternProblems(page),
  ...boundProblems(page),
  ...waitProblems(page, facts.placement),
];

const problemsOf = (file: unknown): readonly string[] => {
  const parsed = parseGroupConfig(typeof file === 'string' ? file : JSON.stringify(file));
  return 'problems' in parsed ? parsed.problems : [];
};

/** The example is read, and sends everybody where the table says. */
function exampleProblems(page: string): string[] {
  const example = codeBlocks(page).find(({ info }) => info === 'json');
  const rows = tableRows(section(page, 'Example') ?? '');
  if (example === undefined || rows.length === 0) return ['there is no example with a table'];
  const parsed = parseGroupConfig(example.text);
  if ('problems' in parsed) return parsed.problems.map((problem) => `the example: ${problem}`);
  return rows.flatMap((row) => {
    const [[user = ''] = [], [source = ''] = [], clientTags = [], [to = ''] = []] = row.map(codeSpans);
    const selection = selectGroup(parsed.ok, { user, source, clientTags });
    const group = selection.kind === 'selected' ? selection.target.path : selection.kind;
    return group === to ? [] : [`the example sends ${user} with "${source}" to ${group}, not to ${to}`];
  });
}

/** The program says of the wrong example what stands below it. */
function wrongExampleProblems(page: string): string[] {
  const blocks = codeBlocks(page);
  const index = blocks.findIndex(({ info }) => info === 'json wrong');
  const real = problemsOf(blocks[index]?.text ?? '').map((problem) => `  - groups.json: ${problem}`);
  const told = (blocks[index + 1]?.text ?? '').trimEnd().split('\n');
  return index >= 0 && told.join('\n') === real.join('\n') ? [] : ['the wrong example gives:', ...real];
}

/** The program warns of the doubtful example as it stands below it. */
function doubtfulExampleProblems(page: string): string[] {
  const blocks = codeBlocks(page);
  const index = blocks.findIndex(({ info }) => info === 'json doubtful');
  const parsed = parseGroupConfig(blocks[index]?.text ?? '');
  if ('problems' in parsed) return parsed.problems.map((problem) => `the doubtful example: ${problem}`);
  const real = parsed.warnings.map((text) => text.replace(/^line (\d+:\d+): /, 'groups.json:$1: warning: '));
  const told = (blocks[index + 1]?.text ?? '').trimEnd().split('\n');
  return real.length > 0 && told.join('\n') === real.join('\n') ? [] : ['the doubtful example gives:', ...real];
}

/** The tables of properties list what the reader knows. It tells that itself when it meets an unknown one. */
function propertyProblems(page: string): string[] {
  const unknown = { unknownPropertyOfNobody: 1 };
  const problems = problemsOf({ ...unknown, rootGroups: [unknown], selectors: [unknown] });
  const known = (at: string) => {
    const problem = problems.find((text) => text.includes(`: ${at}unknownPropertyOfNobody: `)) ?? '';
    return namesOnly((/known are (.*)$/.exec(problem)?.[1] ?? '').split(', '));
  };
  const documented = (title: string) =>
    namesOnly(
      (section(page, title) ?? '')
        .split('\n### ', 1)
        .flatMap(tableRows)
        .map(([cell = '']) => bare(cell)),
    );
  return [
    ...differences('property of the file', documented('The file'), known('')),
    ...differences('property of groups', documented('Groups'), known('rootGroups[0].')),
    ...differences('property of selectors', documented('Selectors'), known('selectors[0].')),
  ];
}

/** Each expression that the page calls not supported is refused. */
function patternProblems(page: string): string[] {
  const rows = tableRows(section(page, 'Regular expressions') ?? '');
  if (rows.length === 0) return ['there is no table of regular expressions that are not supported'];
  return rows.flatMap(([what = '', cell = '']) => {
    const [user = ''] = codeSpans(cell);
    const file = { rootGroups: [SMALL_GROUP], selectors: [{ user, group: 'global' }] };
    return problemsOf(file).some((problem) => problem.includes('is not supported')) ? [] : [`${what} are supported`];
  });
}

const SMALL_GROUP = { name: 'global', hardConcurrencyLimit: 1, maxQueued: 1 };

/** The bounds of the page are those that the reader names. */
function boundProblems(page: string): string[] {
  const group = SMALL_GROUP;
  let deep: object = group;
  for (let depth = 0; depth < 20; depth++) deep = { ...group, subGroups: [deep] };
  const selector = { group: 'global' };
  const longPattern = { ...selector, user: 'a'.repeat(5_000) };
  const cases: readonly (readonly [file: unknown, named: RegExp, told: string])[] = [
    [{ rootGroups: [{ ...group, maxQueued: 1e12 }], selectors: [selector] }, /<= (\d+)/, 'a whole number, 0 to #'],
    [{ rootGroups: [{ ...group, name: '' }], selectors: [selector] }, /1 to (\d+) letters/, '1 to # letters'],
    [{ rootGroups: [deep], selectors: [selector] }, /nested (\d+) deep/, 'nested # deep'],
    [{ rootGroups: [], selectors: [selector] }, /rootGroups: .* 1 to (\d+) entries/, 'There may be # groups'],
    [{ rootGroups: [group], selectors: [] }, /selectors: .* 1 to (\d+) entries/, 'There may be # selectors'],
    [{ rootGroups: [group], selectors: [longPattern] }, /up to (\d+) le/, 'up to # letters'],
  ];
  const bounds = cases.map(([file, named, told]) =>
    told.replace('#', english(Number(named.exec(problemsOf(file).join('\n'))?.[1]))),
  );
  const [root] = defaultGroupConfig.rootGroups;
  const { hardConcurrencyLimit = NaN, maxQueued = NaN } = root ?? {};
  const defaults = `${english(hardConcurrencyLimit)} queries run, ${english(maxQueued)} wait`;
  return [...bounds, defaults].filter((text) => !page.includes(text)).map((text) => `the page does not say: ${text}`);
}

/** Each sentence is one that is really said, and no kind of wait is left out. */
function waitProblems(page: string, placement: string): string[] {
  const rows = tableRows(section(page, 'What a waiting query says') ?? '');
  const told = rows.map(([kind = '', sentence = '']) => [bare(kind), bare(sentence)] as const);
  const real = [...waitExplanations(), ...leasedWaits()].map((wait) => shape(wait?.message ?? 'starts at once'));
  const sentences = told.filter(([kind]) => kind !== 'WAIT_KIND_NO_WORKERS').map(([, sentence]) => shape(sentence));
  const kinds = Object.values(WaitKind).flatMap((kind) =>
    typeof kind === 'string' && kind !== 'UNSPECIFIED' ? [`WAIT_KIND_${kind}`] : [],
  );
  const noWorkers = told.find(([kind]) => kind === 'WAIT_KIND_NO_WORKERS')?.[1] ?? '';
  return [
    ...differences('sentence', namesOnly(sentences), namesOnly(real)),
    ...differences('kind', namesOnly(told.map(([kind]) => kind)), namesOnly(kinds)),
    ...(noWorkers !== '' && placement.includes(noWorkers) ? [] : ['no coordinator says that there is no worker so']),
  ];
}

const shape = (sentence: string): string => sentence.replace(/\d+/g, '#').replace('# query is', '# queries are');
const bare = (cell: string): string => cell.replaceAll('`', '');
const english = (value: number): string => value.toLocaleString('en');
const namesOnly = (names: readonly string[]): Map<string, string> => new Map(names.map((name) => [name, '']));
