// Passes the word of an operator that a coordinator is gone on to all resource managers: each knows only what it owns.
import { create } from '@bufbuild/protobuf';
import { Code } from '@connectrpc/connect';
import {
  ResourceGroupService,
  type WriteOffCoordinatorRequest,
  type WriteOffCoordinatorResponse,
  WriteOffCoordinatorResponseSchema,
} from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { readRpcError, rpcError } from '@tutti/service';
import type { Peers } from './peers.js';

/**
 * Sums up what they have written off. NOT_FOUND when all that answer say so, with all coordinators that could be written off;
 * any other refusal of one is the answer. UNAVAILABLE when none answers.
 */
export async function writeOffEverywhere(
  peers: Pick<Peers, 'askAllResourceManagers'>,
  request: WriteOffCoordinatorRequest,
  signal: AbortSignal,
): Promise<WriteOffCoordinatorResponse> {
  const answers = await peers.askAllResourceManagers(
    ResourceGroupService,
    (client, call) => client.writeOffCoordinator(request, call),
    signal,
  );
  signal.throwIfAborted();
  const sum = create(WriteOffCoordinatorResponseSchema);
  const gone = new Set<string>();
  let notFound = 0;
  for (const { nodeId, answer } of answers) {
    if (answer.status === 'fulfilled') {
      sum.slots += answer.value.slots;
      sum.resourceManagers.push(...answer.value.resourceManagers);
      continue;
    }
    const { code, metadata } = readRpcError(answer.reason);
    if (code === Code.NotFound) {
      notFound++;
      for (const id of metadata['coordinators']?.split(',') ?? []) if (id !== '') gone.add(id);
    } else if (code === Code.Unavailable || code === Code.DeadlineExceeded) sum.unanswered.push(nodeId);
    else throw answer.reason;
  }
  if (sum.resourceManagers.length > 0) return sum;
  throw notFound > 0 ? notKnown(request.coordinatorId, [...gone].sort(), sum.unanswered) : noneAnswers();
}

function notKnown(coordinatorId: string, gone: readonly string[], unanswered: readonly string[]) {
  const others =
    gone.length > 0 ? `could be written off: ${gone.join(', ')}` : 'no slots are booked for any that is gone';
  const silent = unanswered.length > 0 ? ` (${unanswered.join(', ')} did not answer)` : '';
  return rpcError(Code.NotFound, `no coordinator "${coordinatorId}" is known; ${others}${silent}`, {
    reason: 'COORDINATOR_NOT_FOUND',
    metadata: { coordinators: gone.join(',') },
  });
}

const noneAnswers = () =>
  rpcError(Code.Unavailable, 'No resource manager answers.', {
    reason: 'RESOURCE_MANAGERS_UNREACHABLE',
    retryAfterMs: 1_000,
  });
