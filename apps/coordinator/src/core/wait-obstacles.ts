// What keeps all queries of this coordinator from starting, which the groups do not know. Said in place of what they say.
import type { WaitExplanation } from '@tutti/resource-groups';

/**
 * `nameTaken` says that another process has the node id of this one, and counts. `dealAgainInMs` is set while resource
 * managers have just started, and says how long they take at most until they deal slots.
 */
export function withObstacle(
  wait: WaitExplanation,
  nameTaken: string | undefined,
  dealAgainInMs: number | undefined,
): WaitExplanation {
  const where = `waits in "${wait.blockingGroup}"`;
  if (nameTaken !== undefined)
    return {
      ...wait,
      kind: 'resourceManagersUnreachable',
      message: `${where}: no slots are dealt to this coordinator: ${nameTaken}`,
      unblockedBy: 'the other process leaves; another coordinator would take the query now',
      estimatedWaitMs: undefined,
    };
  const isOwnerMissing = wait.kind === 'resourceManagersUnreachable' && wait.lease?.owner === undefined;
  if (wait.mode !== 'leased' || !isOwnerMissing || dealAgainInMs === undefined) return wait;
  const seconds = Math.max(1, Math.ceil(dealAgainInMs / 1_000));
  const what = wait.lease?.epoch ? 'have restarted and deal slots again' : 'have just started and deal slots';
  return {
    ...wait,
    message: `${where}: resource managers ${what} at most ${seconds} s from now`,
    unblockedBy: 'a resource manager deals its slots, when none can have been dealt by a former one any more',
  };
}
