import { create } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import {
  type WriteOffCoordinatorResponse,
  WriteOffCoordinatorRequestSchema,
  WriteOffCoordinatorResponseSchema,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { readRpcError, rpcError } from '@tutti/service';
import type { Peers } from './peers.js';
import { writeOffEverywhere } from './write-offs.js';

const REQUEST = create(WriteOffCoordinatorRequestSchema, { coordinatorId: 'c2' });
const freed = (id: string, slots: number) =>
  create(WriteOffCoordinatorResponseSchema, { slots, resourceManagers: [{ resourceManagerId: id, slots }] });
const refusal = (code: Code, reason: string, coordinators = '') =>
  rpcError(code, reason, { reason, metadata: { coordinators } });
const unknown = (coordinators = '') => refusal(Code.NotFound, 'COORDINATOR_NOT_FOUND', coordinators);
const silent = refusal(Code.Unavailable, 'NO_ANSWER');

function writeOff(...said: (WriteOffCoordinatorResponse | Error)[]) {
  const answers = said.map((one, index) => ({
    nodeId: `rm${index + 1}`,
    answer:
      one instanceof Error
        ? { status: 'rejected' as const, reason: one as unknown }
        : { status: 'fulfilled' as const, value: one as never },
  }));
  const peers: Pick<Peers, 'askAllResourceManagers'> = { askAllResourceManagers: async () => answers };
  return writeOffEverywhere(peers, REQUEST, new AbortController().signal).catch((error: unknown) =>
    readRpcError(error),
  );
}

describe('writing a coordinator off', () => {
  it('sums up what the owners have freed, and tells where', async () => {
    expect(await writeOff(freed('rm1', 2), unknown(), freed('rm3', 1))).toMatchObject({
      slots: 3,
      resourceManagers: [
        { resourceManagerId: 'rm1', slots: 2 },
        { resourceManagerId: 'rm3', slots: 1 },
      ],
      unanswered: [],
    });
  });

  it('names the resource managers that did not answer: they may own more of it', async () => {
    expect(await writeOff(freed('rm1', 2), silent)).toMatchObject({ slots: 2, unanswered: ['rm2'] });
  });

  it('a name that nobody knows is no success: all that could be written off are named', async () => {
    expect(await writeOff(unknown('c9,c7'), unknown(), unknown('c8'))).toMatchObject({
      code: Code.NotFound,
      reason: 'COORDINATOR_NOT_FOUND',
      message: 'no coordinator "c2" is known; could be written off: c7, c8, c9',
    });
    expect(await writeOff(unknown(), silent)).toMatchObject({
      message: 'no coordinator "c2" is known; no slots are booked for any that is gone (rm2 did not answer)',
    });
  });

  it('is refused while any of them hears the coordinator, and fails when none answers', async () => {
    const heard = refusal(Code.FailedPrecondition, 'COORDINATOR_HEARD');
    expect(await writeOff(freed('rm1', 0), heard)).toMatchObject({ reason: 'COORDINATOR_HEARD' });
    expect(await writeOff(silent, silent)).toMatchObject({ reason: 'RESOURCE_MANAGERS_UNREACHABLE' });
    expect(await writeOff()).toMatchObject({ reason: 'RESOURCE_MANAGERS_UNREACHABLE' });
  });
});
