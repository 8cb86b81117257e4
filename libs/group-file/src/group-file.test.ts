import {
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@tutti/base';
import { FakeClock } from '@tutti/base/testing';
import { ConfigError, createMetrics } from '@tutti/service';
import { TestLog } from '@tutti/service/testing';
import { groupConfigVersion } from './group-config-version.js';
import { GroupFile } from './group-file.js';

/** A file with one group that runs so many queries. */
const textOf = (limit: number): string =>
  JSON.stringify({
    rootGroups: [{ name: 'global', hardConcurrencyLimit: limit, maxQueued: 10 }],
    selectors: [{ group: 'global' }],
  });

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tutti-group-file-'));
  file = join(directory, 'groups.json');
  writeFileSync(file, textOf(1));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** An open file whose log, metrics and changes can be looked at. */
async function opened(path = file) {
  const clock = new FakeClock();
  const log = new TestLog();
  const metrics = createMetrics({}, { processMetrics: false });
  const groupFile = await GroupFile.open({ file: path, clock, log, metrics });
  const changes: number[] = [];
  groupFile.onChange(({ config }) => changes.push(config.rootGroups[0]?.hardConcurrencyLimit ?? -1));
  const shown = async () => (await metrics.expose()).text.split('\n').filter((line) => line.startsWith('tutti_'));
  return { groupFile, clock, log, changes, shown };
}
const limitOf = ({ current }: GroupFile) => current.config.rootGroups[0]?.hardConcurrencyLimit;

describe('a file of resource groups', () => {
  it('is read when it is opened; without one there are the built-in groups', async () => {
    const { groupFile } = await opened();
    expect(limitOf(groupFile)).toBe(1);
    expect(groupFile.current.version).toBe(groupConfigVersion(textOf(1)));
    const { groupFile: builtIn, shown } = await opened('');
    expect(builtIn.current).toMatchObject({ version: 'built-in', config: { rootGroups: [{ name: 'global' }] } });
    expect(await shown()).toEqual([
      'tutti_resource_groups_file_valid 1',
      'tutti_resource_groups_version{version="built-in"} 1',
    ]);
  });

  it('keeps a program from starting while anything is wrong with it, and all of it is told', async () => {
    const problemsOf = (path: string) =>
      opened(path).then(
        () => [],
        (error: unknown) => (error instanceof ConfigError ? error.problems : [`no ConfigError: ${String(error)}`]),
      );
    writeFileSync(file, '{"rootGroups": [],\n"selectors": []}');
    expect(await problemsOf(file)).toEqual([
      `${file}: line 1:16: rootGroups: must be a list of 1 to 10000 entries, had 0`,
      `${file}: line 2:14: selectors: must be a list of 1 to 10000 entries, had 0`,
    ]);
    expect(await problemsOf(directory)).toEqual([`${directory}: is no file`]);
    const missing = join(directory, 'missing.json');
    expect(await problemsOf(missing)).toEqual([expect.stringMatching(/missing\.json: cannot be read: ENOENT/)]);
    truncateSync(file, 11 * 2 ** 20);
    expect(await problemsOf(file)).toEqual([`${file}: is too large: 11534336 bytes, more than 10485760`]);
  });

  const replacements: readonly (readonly [string, (text: string) => void])[] = [
    ['is written over', (text) => writeFileSync(file, text)],
    [
      'is replaced by another file',
      (text) => {
        writeFileSync(`${file}.new`, text);
        renameSync(`${file}.new`, file);
      },
    ],
    [
      'is deleted and made anew',
      (text) => {
        unlinkSync(file);
        writeFileSync(file, text);
      },
    ],
    [
      'is written over and claims to be as old as before',
      (text) => {
        const { atime, mtime } = statSync(file);
        writeFileSync(file, text);
        utimesSync(file, atime, mtime);
      },
    ],
  ];
  it.each(replacements)('holds at the next look when it %s', async (_how, replace) => {
    const { groupFile, clock, log, changes } = await opened();
    await clock.advance(5_000);
    // One digit more, and then as many as before.
    for (const limit of [20, 30]) {
      replace(textOf(limit));
      await groupFile.look();
      expect(limitOf(groupFile)).toBe(limit);
    }
    await groupFile.look();
    expect(changes).toEqual([20, 30]);
    expect(groupFile.status()).toMatchObject({
      version: groupConfigVersion(textOf(30)),
      loadTime: { seconds: 1_700_000_005n },
      problems: [],
    });
    expect(log.events()).toEqual(Array(3).fill('resource-groups-loaded'));
  });

  it('holds when a symbolic link on the way to it leads elsewhere, as the kubelet does it', async () => {
    const volume = join(directory, 'volume');
    mkdirSync(join(volume, '..first'), { recursive: true });
    mkdirSync(join(volume, '..second'));
    writeFileSync(join(volume, '..first', 'groups.json'), textOf(1));
    writeFileSync(join(volume, '..second', 'groups.json'), textOf(2));
    symlinkSync('..first', join(volume, '..data'));
    symlinkSync(join('..data', 'groups.json'), join(volume, 'groups.json'));
    const { groupFile, changes } = await opened(join(volume, 'groups.json'));
    symlinkSync('..second', join(volume, '..data_tmp'));
    renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
    rmSync(join(volume, '..first'), { recursive: true });
    await groupFile.look();
    expect(changes).toEqual([2]);
  });

  it('keeps the last good groups while it is wrong, says so once, and holds again when it is right', async () => {
    const { groupFile, log, changes, shown } = await opened();
    writeFileSync(file, textOf(-1));
    await groupFile.look();
    // It may be half written.
    expect(groupFile.status().problems).toEqual([]);
    for (let looks = 0; looks < 3; looks++) await groupFile.look();
    const problem = 'line 1:56: rootGroups[0].hardConcurrencyLimit: must be a whole number >= 0, was -1';
    const version = groupConfigVersion(textOf(1));
    expect(groupFile.status()).toMatchObject({ version, problems: [problem] });
    expect(limitOf(groupFile)).toBe(1);
    expect(log.lines.slice(1)).toEqual([
      {
        ...{ level: 'warn', event: 'resource-groups-invalid' },
        fields: { file, keptVersion: version, problems: [problem] },
      },
    ]);
    expect(await shown()).toEqual([
      'tutti_resource_groups_file_valid 0',
      `tutti_resource_groups_version{version="${version}"} 1`,
      'tutti_resource_groups_reloads_total{outcome="invalid"} 1',
    ]);
    writeFileSync(file, textOf(2));
    await groupFile.look();
    expect(changes).toEqual([2]);
    expect(await shown()).toEqual([
      'tutti_resource_groups_file_valid 1',
      `tutti_resource_groups_version{version="${groupConfigVersion(textOf(2))}"} 1`,
      'tutti_resource_groups_reloads_total{outcome="invalid"} 1',
      'tutti_resource_groups_reloads_total{outcome="applied"} 1',
    ]);
    expect(groupFile.status().problems).toEqual([]);
  });

  it('that comes back as it was is right again, and nothing changes', async () => {
    const { groupFile, log, changes } = await opened();
    writeFileSync(file, '{');
    for (let looks = 0; looks < 2; looks++) await groupFile.look();
    expect(groupFile.status().problems).toHaveLength(1);
    writeFileSync(file, textOf(1));
    await groupFile.look();
    expect(groupFile.status().problems).toEqual([]);
    expect(changes).toEqual([]);
    expect(log.events().slice(1)).toEqual(['resource-groups-invalid', 'resource-groups-loaded']);
  });

  it('may vanish and come back', async () => {
    const { groupFile, changes } = await opened();
    unlinkSync(file);
    for (let looks = 0; looks < 3; looks++) await groupFile.look();
    expect(groupFile.status().problems).toEqual([expect.stringMatching(/^cannot be read: ENOENT/)]);
    expect(limitOf(groupFile)).toBe(1);
    writeFileSync(file, textOf(3));
    await groupFile.look();
    expect(changes).toEqual([3]);
  });

  it('with selectors that lead to a group with subgroups holds, and says so once at each load', async () => {
    const limits = { hardConcurrencyLimit: 1, maxQueued: 10 };
    const text = (name: string) =>
      JSON.stringify({
        rootGroups: [{ name: 'global', ...limits, subGroups: [{ name, ...limits }] }],
        selectors: [{ group: 'global' }],
      });
    const warning = (name: string) =>
      expect.stringMatching(
        `^line 1:1\\d\\d: selectors\\[0\\]\\.group: queries fail: Cannot add .*: global\\.${name}$`,
      ) as string;
    writeFileSync(file, text('a'));
    const { groupFile, log, changes } = await opened();
    await groupFile.look();
    writeFileSync(file, text('b'));
    for (let looks = 0; looks < 3; looks++) await groupFile.look();
    expect(changes).toEqual([1]);
    expect(groupFile.status().problems).toEqual([]);
    const loads = ['a', 'b'].map((name) => ({ file, version: groupConfigVersion(text(name)), name }));
    expect(log.lines).toEqual(
      loads.flatMap(({ name, ...fields }) => [
        { level: 'info', event: 'resource-groups-loaded', fields },
        { level: 'warn', event: 'resource-groups-warning', fields: { ...fields, warnings: [warning(name)] } },
      ]),
    );
  });

  it('written in two steps makes no noise', async () => {
    const { groupFile, log, changes } = await opened();
    writeFileSync(file, textOf(4).slice(0, 30));
    await groupFile.look();
    writeFileSync(file, textOf(4));
    await groupFile.look();
    expect(changes).toEqual([4]);
    expect(log.events()).toEqual(['resource-groups-loaded', 'resource-groups-loaded']);
  });

  it('with very many problems tells twenty of them in its status, and all in the log', async () => {
    const { groupFile, log } = await opened();
    const rootGroups = Array.from({ length: 50 }, (_, index) => ({ name: `g${index}`, maxQueued: 1 }));
    writeFileSync(file, JSON.stringify({ rootGroups, selectors: [{ group: 'g1' }] }));
    for (let looks = 0; looks < 2; looks++) await groupFile.look();
    expect(groupFile.status().problems).toHaveLength(20);
    expect(log.lines.at(-1)?.fields['problems']).toHaveLength(50);
  });

  it('is watched until the program stops', async () => {
    const log = new TestLog();
    const metrics = createMetrics({}, { processMetrics: false });
    const groupFile = await GroupFile.open({ file, clock: systemClock, log, metrics, pollIntervalMs: 5 });
    const stop = new AbortController();
    const changed = new Promise<number | undefined>((resolve) => {
      const forget = groupFile.onChange(({ config }) => {
        forget();
        resolve(config.rootGroups[0]?.hardConcurrencyLimit);
      });
    });
    const running = groupFile.run(stop.signal);
    writeFileSync(file, textOf(7));
    expect(await changed).toBe(7);
    stop.abort();
    await running;
    const { groupFile: builtIn } = await opened('');
    await builtIn.run(stop.signal);
  });
});
