import { type GroupConfig, groupSpec, type GroupSpec, type GroupTotal } from '@tutti/resource-groups';
import { adjustedQueueSize, type GroupSources, listGroups } from './group-list.js';

/** A group of the file with everything below it; templates and variables come from the names. */
function spec(name: string, more: Partial<GroupSpec> = {}, below: readonly GroupSpec[] = []): GroupSpec {
  const own = groupSpec({ name, hardConcurrencyLimit: 10, maxQueued: 100, ...more });
  return { ...own, subGroups: below.map((sub) => lower(own, sub)) };
}

const lower = (parent: GroupSpec, sub: GroupSpec): GroupSpec => {
  const template = `${parent.template}.${sub.name}`;
  const moved = { ...sub, template, isDynamic: parent.isDynamic || sub.isDynamic };
  return { ...moved, subGroups: sub.subGroups.map((one) => lower(moved, one)) };
};

const total = (group: string, more: Partial<GroupTotal> = {}): GroupTotal => ({
  ...{ group, template: group, running: 0, queued: 0, memoryBytes: 0, ownRunning: 0, ownQueued: 0 },
  ...{ isReported: true, hardConcurrencyLimit: 7, maxQueued: 70, cpuQuotaMsPerSecond: 0, coordinators: [] },
  ...more,
});

function sources(rootGroups: readonly GroupSpec[], totals: GroupTotal[], more: Partial<GroupSources> = {}) {
  const config: GroupConfig = { rootGroups, selectors: [] };
  return { config, totals, cpuUsedMs: new Map(), cluster: { activeWorkers: 3, memoryBytes: 1_000 }, ...more };
}

const oneOf = (rows: ReturnType<typeof listGroups>, group: string) => rows.find((row) => row.group === group);

describe('the list of groups', () => {
  it('shows the groups of the file that have no variables, and those in use (T1)', () => {
    const file = [spec('global', {}, [spec('etl'), spec('user', {}, [spec('${USER}')])]), spec('admin')];
    const used = [total('global.user.alice', { template: 'global.user.${USER}', running: 1 })];
    const rows = listGroups(sources(file, used));
    expect(rows.map(({ group, state }) => `${group} ${state}`)).toEqual([
      'admin CAN_RUN',
      'global CAN_RUN',
      'global.etl CAN_RUN',
      'global.user CAN_RUN',
      'global.user.alice CAN_RUN',
    ]);
    expect(oneOf(rows, 'global.user.alice')).toMatchObject({ running: 1, hardConcurrencyLimit: 10, maxQueued: 100 });
  });

  it('limits groups as the file says, and others as is reported (T2)', () => {
    const file = [spec('global', { hardConcurrencyLimit: 4, softConcurrencyLimit: 2, maxQueued: 9, guarantee: 1 })];
    const rows = listGroups(sources(file, [total('global'), total('old', { running: 7 })]));
    expect(oneOf(rows, 'global')).toMatchObject({
      ...{ hardConcurrencyLimit: 4, softConcurrencyLimit: 2, maxQueued: 9, spec: { guarantee: 1 } },
    });
    expect(oneOf(rows, 'old')).toMatchObject({
      ...{ spec: undefined, hardConcurrencyLimit: 7, softConcurrencyLimit: 7, maxQueued: 70, state: 'CAN_QUEUE' },
    });
  });

  it('knows no state of a group that only the workers of a silent coordinator name (T2)', () => {
    const stray = total('gone.bob', { isReported: false, running: 1, hardConcurrencyLimit: 0, maxQueued: 0 });
    const [row] = listGroups(sources([], [stray]));
    expect(row).toMatchObject({ running: 1, state: undefined, cpuUsedMs: undefined, softMemoryLimitBytes: undefined });
  });

  it('RG-5: takes percentages of the memory of all active workers; all of it may be held (T3)', () => {
    const percent = (of: number) => ({ softMemoryLimit: { kind: 'percent', percent: of } as const });
    const file = [spec('half', percent(50)), spec('fixed', { softMemoryLimit: { kind: 'bytes', bytes: 10 } })];
    const totals = [total('half', { memoryBytes: 500 }), total('fixed', { memoryBytes: 11 })];
    const rows = listGroups(sources(file, totals));
    expect(oneOf(rows, 'half')).toMatchObject({ softMemoryLimitBytes: 500, state: 'CAN_RUN' });
    expect(oneOf(rows, 'fixed')).toMatchObject({ softMemoryLimitBytes: 10, state: 'CAN_QUEUE' });
    const smaller = listGroups(sources(file, totals, { cluster: { activeWorkers: 1, memoryBytes: 400 } }));
    expect(oneOf(smaller, 'half')).toMatchObject({ softMemoryLimitBytes: 200, state: 'CAN_QUEUE' });
  });

  it('says what CPU is used where it is limited (T3)', () => {
    const limits = { softCpuLimitMs: 1_000, hardCpuLimitMs: 2_000, cpuQuotaMsPerSecond: 100 };
    const cpuUsedMs = new Map([
      ['global', 2_500],
      ['global.etl', 2_500],
    ]);
    const rows = listGroups(sources([spec('global', limits, [spec('etl')]), spec('idle', limits)], [], { cpuUsedMs }));
    expect(oneOf(rows, 'global')).toMatchObject({ cpuUsedMs: 2_500, state: 'CAN_QUEUE' });
    expect(oneOf(rows, 'global.etl')).toMatchObject({ cpuUsedMs: undefined, state: 'CAN_RUN' });
    expect(oneOf(rows, 'idle')).toMatchObject({ cpuUsedMs: 0, state: 'CAN_RUN' });
  });
});

describe('the state of a group', () => {
  const limits = { hardConcurrencyLimit: 4, maxQueued: 2 };
  /** Of one group, with what it runs, holds and has used. */
  const state = (more: Partial<GroupSpec>, use: Partial<GroupTotal & { cpuMs: number }>, activeWorkers = 3) => {
    const cpuUsedMs = new Map([['g', use.cpuMs ?? 0]]);
    const cluster = { activeWorkers, memoryBytes: 1_000 };
    return listGroups(sources([spec('g', { ...limits, ...more })], [total('g', use)], { cpuUsedMs, cluster }))[0]
      ?.state;
  };

  it('RG-16: it runs up to its hardConcurrencyLimit, then queues up to maxQueued, then is full', () => {
    expect(state({}, { running: 3, queued: 9 })).toBe('CAN_RUN');
    expect(state({}, { running: 4, queued: 1 })).toBe('CAN_QUEUE');
    expect(state({}, { running: 4, queued: 2 })).toBe('FULL');
    expect(state({ hardConcurrencyLimit: 0 }, {})).toBe('CAN_QUEUE');
  });

  it('RG-6, RG-7: CPU above the soft limit lets fewer run, at least one; from the hard limit on nothing starts', () => {
    const cpu = { softCpuLimitMs: 1_000, hardCpuLimitMs: 2_000 };
    const runsUpTo = (cpuMs: number) =>
      [0, 1, 2, 3, 4].filter((running) => state(cpu, { running, cpuMs }) === 'CAN_RUN').length;
    expect([999, 1_000, 1_250, 1_500, 1_999, 2_000].map(runsUpTo)).toEqual([4, 3, 3, 2, 1, 0]);
  });

  it('RG-8: a query starts while the running ones times workersPerQueryLimit are at most the active workers', () => {
    const starts = (running: number, workers: number) => state({ workersPerQueryLimit: 5 }, { running }, workers);
    expect([starts(0, 3), starts(1, 3), starts(1, 5)]).toEqual(['CAN_RUN', 'CAN_QUEUE', 'CAN_RUN']);
  });
});

describe('the adjusted queue size', () => {
  const size = (...totals: GroupTotal[]) => {
    const file = [spec('soft', { softConcurrencyLimit: 3 }), spec('${USER}', { softConcurrencyLimit: 1 })];
    return adjustedQueueSize(sources(file, totals));
  };

  it('counts what waits, up to the soft limit', () => {
    expect(size(total('soft', { ownRunning: 1, ownQueued: 9 }))).toBe(2);
    expect(size(total('soft', { ownRunning: 1, ownQueued: 1 }))).toBe(1);
    expect(size(total('soft', { ownRunning: 5, ownQueued: 1 }))).toBe(0);
  });

  it('adds up leaf groups; what waits below a group is not counted again', () => {
    const alice = total('alice', { template: '${USER}', ownQueued: 4 });
    const [inner, leaf] = [total('old', { queued: 2 }), total('old.leaf', { queued: 2, ownQueued: 2 })];
    expect(size(alice, inner, leaf, total('soft', { ownQueued: 1 }))).toBe(4);
  });
});
