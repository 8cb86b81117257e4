import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseGroupConfig, shardOfGroup } from '@tutti/resource-groups';
import { BENCH_GROUP, groupFileOf, PROBE_GROUP } from './admission-groups.js';
import { FAULTS, MODES, parseAdmissionOptions } from './admission-options.js';
import { admissionTable } from './admission-table.js';
import { EndedQueries } from './ended-queries.js';
import { LogTail } from './log-tail.js';
import { metricSum } from './metric-text.js';

describe('the options of the bench of admission', () => {
  it('compare all modes and go through all faults unless asked otherwise', () => {
    expect(parseAdmissionOptions([])).toEqual({ limit: 8, modes: MODES, faults: FAULTS });
    expect(parseAdmissionOptions(['--limit', '4', '--modes', 'leased, presto', '--faults', 'none'])).toEqual({
      limit: 4,
      modes: ['presto', 'leased'],
      faults: [],
    });
  });

  it('list every wrong value, and how it is used', () => {
    const answer = parseAdmissionOptions(['--limit', '100', '--modes', 'leased,exact', '--faults', '']);
    expect(answer).toMatchObject({ exitCode: 2 });
    const { usage } = answer as { usage: string };
    expect(usage).toContain('--limit must be a whole number from 4 to 12, was "100"');
    expect(usage).toContain('--modes takes presto, gated, leased or "none", was "exact"');
    expect(usage).toContain(
      '--faults takes coordinator-frozen, owner-killed, owner-stopped, partition or "none", was ""',
    );
    expect(usage).toContain('npm run bench -- admission [options]');
  });

  it('refuse an option that is not there, and to do nothing', () => {
    expect(parseAdmissionOptions(['--seeds', '5'])).toMatchObject({
      exitCode: 2,
      usage: expect.stringContaining('--seeds'),
    });
    expect(parseAdmissionOptions(['--modes', 'none', '--faults', 'none'])).toMatchObject({
      exitCode: 2,
      usage: expect.stringContaining('nothing to do'),
    });
    expect(parseAdmissionOptions(['--help'])).toMatchObject({ exitCode: 0 });
  });
});

describe('the groups of the bench', () => {
  it.each(MODES)('are a good file in mode %s, with both roots in one shard', (mode) => {
    const decoded = parseGroupConfig(JSON.stringify(groupFileOf(mode, 8)));
    if (!('ok' in decoded)) throw new Error(decoded.problems.join('\n'));
    expect(decoded.ok.rootGroups.map(({ template, admissionMode }) => [template, admissionMode])).toEqual([
      [BENCH_GROUP, mode],
      [PROBE_GROUP, mode],
    ]);
    expect(shardOfGroup(PROBE_GROUP)).toBe(shardOfGroup(BENCH_GROUP));
  });
});

describe('what the nodes tell', () => {
  it('is read from logs as they grow, whole lines only', () => {
    const directory = mkdtempSync(join(tmpdir(), 'tutti-log-'));
    const file = join(directory, 'node.log');
    writeFileSync(file, '{"event":"a"}\nnode: bad option\n{"event":"ü');
    const tail = new LogTail(file);
    expect(tail.read()).toEqual([{ event: 'a' }]);
    expect(tail.read()).toEqual([]);
    appendFileSync(file, '"}\n{"event":"cut\n{"event":"c"}\n');
    expect(tail.read()).toEqual([{ event: 'ü' }, { event: 'c' }]);
    rmSync(directory, { recursive: true });
  });

  it('says how long queries waited and when they were submitted', () => {
    const queries = new EndedQueries();
    const line = { event: 'query-ended', user: 'u', queuedMs: 1.25, elapsedMs: 500, time: '1970-01-01T00:00:01.500Z' };
    queries.take({ ...line, queryId: '1', group: 'bench' });
    queries.take({ ...line, queryId: '2', group: 'probe-1.u', reason: 'WORKER_LOST' });
    queries.take({ ...line, queryId: '3', group: 'probe-12' });
    queries.take({ ...line, event: 'query-requeued', queryId: '4', group: 'bench' });
    expect(queries.of('bench', 1_000)).toEqual([
      { queryId: '1', group: 'bench', user: 'u', submittedMs: 1_000, queuedMs: 1.25, reason: undefined },
    ]);
    expect(queries.of('bench', 1_001)).toEqual([]);
    expect(queries.of('probe-1', 0)).toMatchObject([{ queryId: '2', reason: 'WORKER_LOST' }]);
  });

  it('adds up a metric over its labels, and no other one with a longer name', () => {
    const text = [
      '# TYPE a_total counter',
      'a_total{kind="x"} 2',
      'a_total{kind="y"} 3.5',
      'a_total_more 7',
      'b 1',
    ].join('\n');
    expect(metricSum(text, 'a_total')).toBe(5.5);
    expect(metricSum(text, 'a_total', 'kind="y"')).toBe(3.5);
    expect(metricSum(text, 'b')).toBe(1);
    expect(metricSum(text, 'c')).toBe(0);
  });
});

describe('the tables of the bench', () => {
  it('show modes, faults, and what is not possible here with its reason', () => {
    const lines = admissionTable({
      ...{ limit: 8, resourceManagers: 3, coordinators: 4, workers: 2 },
      modes: [
        {
          ...{ mode: 'leased', peakOverLimit: 1, secondsOverLimit: 0, utilization: 0.99, burstSeconds: 12 },
          ...{
            burstRpcsPerAdmission: 1.5,
            startedWithoutRpc: 1,
            ...{ waitP50Ms: 0.04, waitP99Ms: 0.9, addedP50Ms: 0.01, addedP99Ms: null },
            startedAtOnce: 0.985,
            rpcsPerAdmission: 0.14,
          },
          ...{ queriesPerSecond: 30, rmCores: 0.05, coordinatorCores: 0.2, machineBusy: 0.4, coreWaitMs: 1.5 },
          failedQueries: 0,
        },
      ],
      faults: [
        {
          ...{ fault: 'owner-killed', peakOverLimit: 1, secondsOverLimit: 0, utilization: 0.7, redealMs: 3_100 },
          ...{ queries: 100, failedQueries: 3, failures: { WORKER_LOST: 2, LEASE_LOST: 1 } },
        },
        {
          ...{ fault: 'owner-stopped', peakOverLimit: 1, secondsOverLimit: 0, utilization: 0, redealMs: null },
          ...{ waitBeforeMs: 12, queries: 100, failedQueries: 0, failures: {} },
        },
        { fault: 'partition', notPossibleHere: 'only root may make network namespaces' },
      ],
    });
    expect(lines).toEqual([
      'Limit 8; 3 resource managers, 4 coordinators, 2 workers.',
      '',
      'burst of 3 x L each  peak / L  s over L  use   RPCs/start  failed',
      'leased               1.00      0.00      0.99  1.50        0',
      '',
      'free slots  no RPC   wait p50  p99      added p50  p99  <= 0.5 ms  RPCs/start  RM cores  coord. cores  busy    core wait',
      'leased      100.0 %  0.04 ms   0.90 ms  0.01 ms    -    98.5 %     0.14        0.050     0.200         40.0 %  1.50 ms',
      'No RPC: started in the turn in which they came, as the coordinators count. Wait: from the choice of the group to the start,',
      'on the wall clock; added: more than in mode presto, which never asks anybody. Busy: all cores of the machine. Core wait: how',
      'long the event loops of the coordinators had work and no core, per query and over all of it: waits contain some of that.',
      '',
      'fault (mode leased)  peak / L  s over L  use   dealt again  before  failed    why',
      'owner-killed         1.00      0.00      0.70  3100 ms              3 of 100  2 WORKER_LOST, 1 LEASE_LOST',
      'owner-stopped        1.00      0.00      0.00  never        12 ms   0 of 100',
      'partition            -         -         -     -            -       -         not possible here: only root may make network namespaces',
      'Before: the longest wait for a new slot in as long a time before the fault.',
    ]);
  });
});
