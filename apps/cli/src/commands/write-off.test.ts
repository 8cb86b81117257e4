import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import {
  ResourceGroupService,
  type WriteOffCoordinatorResponseSchema,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { type Routes, rpcError } from '@tutti/service';
import { runInMemory } from '../testing/run-in-memory.js';

const answering =
  (answer: MessageInitShape<typeof WriteOffCoordinatorResponseSchema> | Error): Routes =>
  (router) =>
    router.service(ResourceGroupService, {
      writeOffCoordinator: () => {
        if (answer instanceof Error) throw answer;
        return answer;
      },
    });
const writeOff = (answer: Parameters<typeof answering>[0], ...more: string[]) =>
  runInMemory(['groups', 'write-off', 'c2', ...more], { routes: answering(answer) });
const FREED = {
  slots: 3,
  resourceManagers: [
    { resourceManagerId: 'rm1', slots: 2 },
    { resourceManagerId: 'rm2', slots: 0 },
    { resourceManagerId: 'rm3', slots: 1 },
  ],
};

describe('tutti groups write-off', () => {
  test('tells how many slots were freed, and where', async () => {
    expect(await writeOff(FREED)).toMatchObject({
      exitCode: 0,
      stdout: '3 slots of c2 freed: rm1 2, rm3 1\n',
      stderr: '',
    });
    const { stdout } = await writeOff(FREED, '-o', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      ...{ coordinator: 'c2', slots: 3, unanswered: [] },
      resourceManagers: [
        { resourceManager: 'rm1', slots: 2 },
        { resourceManager: 'rm2', slots: 0 },
        { resourceManager: 'rm3', slots: 1 },
      ],
    });
  });

  test('a coordinator that had nothing is no failure', async () => {
    expect(await writeOff({ resourceManagers: [{ resourceManagerId: 'rm1' }] })).toMatchObject({
      ...{ exitCode: 0, stdout: 'no slots were booked for c2: none was freed\n' },
    });
  });

  test('fails when a resource manager did not answer: it may own more', async () => {
    const { exitCode, stdout, stderr } = await writeOff({ ...FREED, unanswered: ['rm4'] });
    expect([exitCode, stdout]).toEqual([1, '3 slots of c2 freed: rm1 2, rm3 1\n']);
    expect(stderr).toContain('rm4 did not answer and may own more: try again');
  });

  test('fails with a name that nobody knows, and without a name', async () => {
    const message = 'no coordinator "c2" is known; could be written off: c7';
    const { exitCode, stderr } = await writeOff(rpcError(Code.NotFound, message, { reason: 'COORDINATOR_NOT_FOUND' }));
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(message)]);
    expect(await runInMemory(['groups', 'write-off'])).toMatchObject({ exitCode: 2 });
  });
});
