import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { instant } from '@tutti/base';
import { ReportAckSchema } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import type { FenceListSchema } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { type ShardStamp } from '@tutti/lease-wire';
import { shardOfGroup } from '@tutti/resource-groups';
import { TestLog } from '@tutti/service/testing';
import { FenceListener } from './fence-listener.js';
import { WorkerFences } from './worker-fences.js';

const GLOBAL = shardOfGroup('global');
const OTHER = (GLOBAL + 1) % 64;

const lease = (seq: number): ShardStamp => ({
  shard: GLOBAL,
  stamp: { coordinatorId: 'c1', incarnation: 10, epoch: 2, seq },
});

const list = (version: number, fencedSeq?: number): MessageInitShape<typeof FenceListSchema> => {
  const fence = { coordinatorId: 'c1', incarnation: 10n, epoch: 2n, seq: BigInt(fencedSeq ?? 0) };
  const fences = fencedSeq === undefined ? [] : [fence];
  return { shard: GLOBAL, epoch: 2n, version: BigInt(version), fences, leasedRootGroups: ['global'] };
};

class Stage {
  readonly fences = new WorkerFences();
  readonly log = new TestLog();
  changes = 0;
  readonly listener = new FenceListener({ fences: this.fences, changed: () => this.changes++, log: this.log });

  hear(fences: MessageInitShape<typeof FenceListSchema>[], resourceManagerId = 'r1'): void {
    this.listener.hear(create(ReportAckSchema, { resourceManagerId, fences }));
  }

  tick(ms: number, wallMs = ms): boolean {
    return this.fences.tick({ now: instant(ms), wallMs });
  }
}

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});

describe('the fences that a worker keeps to', () => {
  it('are those of the shard of the group; what is new is reported at once, and named in the report (W1)', () => {
    const { fences } = stage;
    expect(fences.judge('global.adhoc', lease(5))).toBe('notEnrolled');
    stage.hear([list(1)]);
    expect(fences.judge('global.adhoc', lease(5))).toBe('accepted');
    expect(fences.judge('global.adhoc', undefined)).toBe('leaseRequired');
    stage.hear([list(2, 5)]);
    expect(fences.judge('global.adhoc', lease(5))).toBe('fenced');
    expect(fences.judge('global.adhoc', lease(6))).toBe('accepted');
    expect(stage.changes).toBe(2);
    stage.hear([list(1), list(2, 5)]);
    expect(stage.changes).toBe(2);
    expect(fences.kept()).toEqual([{ shard: GLOBAL, epoch: 2, version: 2 }]);
  });

  it('let a task without a lease begin in a group of which no owner has said that it needs one', () => {
    expect(stage.fences.judge('global', undefined)).toBe('accepted');
  });

  it('take the good lists beside a bad one, and complain once for each sender', () => {
    const bad = { ...list(1), shard: 64 };
    stage.hear([bad, list(1)]);
    stage.hear([bad]);
    stage.hear([{ ...list(3), shard: OTHER, epoch: 0n }], 'r2');
    expect(stage.fences.kept()).toEqual([{ shard: GLOBAL, epoch: 2, version: 1 }]);
    expect(stage.log.lines.filter(({ event }) => event === 'bad-fences').map(({ fields }) => fields)).toMatchObject([
      { resourceManagerId: 'r1', problem: expect.stringContaining('shard') },
      { resourceManagerId: 'r2', problem: expect.stringContaining('epoch') },
    ]);
  });

  it('are at most one list for each shard', () => {
    stage.hear(Array.from({ length: 65 }, () => list(1)));
    expect(stage.log.lines.map(({ event }) => event)).toContain('bad-fences');
  });
});

describe('a worker that stood still', () => {
  beforeEach(() => {
    stage.hear([list(1)]);
    stage.tick(0);
  });

  it('takes no task with a lease until a report is answered that was made after that (W2)', () => {
    const { fences } = stage;
    expect(stage.tick(500)).toBe(false);
    expect(stage.tick(6_000)).toBe(true);
    expect(fences.judge('global', lease(5))).toBe('notEnrolled');
    fences.answered(instant(400));
    expect(fences.judge('global', lease(5))).toBe('notEnrolled');
    fences.answered(instant(6_010));
    expect(fences.judge('global', lease(5))).toBe('accepted');
  });

  it('notices it on the wall clock when its machine was suspended', () => {
    expect(stage.tick(500, 60_000)).toBe(true);
    expect(stage.fences.judge('global', lease(5))).toBe('notEnrolled');
  });
});
