import { Code, type ServiceImpl } from '@connectrpc/connect';
import { nodeId } from '@tutti/base';
import type { LeaseRequest, ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { BadMessage, leaseRequestFromWire, leaseResponseToWire } from '@tutti/lease-wire';
import { type CoordinatorLife, SEAT_TIMING } from '@tutti/resource-groups';
import { rpcError, untilAborted } from '@tutti/service';
import { invalid } from './cluster-service.js';
import type { ClusterState } from './cluster-state.js';
import type { LeaseDeskShell } from './lease-desk-shell.js';
import { LeaseOutbox, ReadsTooSlowly } from './lease-outbox.js';

/** More coordinators than any cluster has. */
const STREAMS_MAX = 1_000;

type LeaseMethods = Pick<ServiceImpl<typeof ResourceGroupService>, 'lease' | 'writeOffCoordinator'>;

/** Deals the slots of leased groups. Streams end when `drainSignal` aborts. */
export function leaseService(state: ClusterState, shell: LeaseDeskShell, drainSignal: AbortSignal): LeaseMethods {
  // Before that it may not promise anything, at the latest; sooner when an owner has told it what it had forgotten.
  const promisesFrom = state.clock.now() + SEAT_TIMING.holdingTtlMs * (1 + SEAT_TIMING.margin);
  const dealsIn = () => {
    const now = state.clock.now();
    return now < promisesFrom && !shell.desk.isReady(now) ? { dealsInMs: promisesFrom - now } : {};
  };
  return {
    async *lease(requests, { signal }) {
      if (shell.streams.turnsAway !== undefined) throw shell.streams.turnsAway;
      if (shell.streams.size >= STREAMS_MAX) throw tooMany();
      const outbox = new LeaseOutbox();
      let life: CoordinatorLife | undefined;
      const read = async () => {
        try {
          for await (const request of untilAborted(requests, drainSignal)) {
            if (outbox.isClosed) return leave();
            const ask = readRequest(request);
            if (life === undefined) shell.connected((life = ask.life), outbox);
            else if (!isSame(life, ask.life))
              throw bad(`the stream of ${textOf(life)} says it is of ${textOf(ask.life)}`);
            if (ask.demands.length > 0) shell.demands(life, ask.demands);
          }
          outbox.close();
        } catch (error) {
          outbox.close(error);
        }
      };
      // A reader that has left asks for nothing more, so the end of the loop below may never come.
      const leave = () => {
        outbox.close();
        if (life !== undefined) shell.disconnected(life, outbox);
        life = undefined;
      };
      signal.addEventListener('abort', leave, { once: true });
      void read();
      try {
        for await (const telling of outbox.tellings())
          yield leaseResponseToWire({ resourceManagerId: state.nodeId, ...telling, ...(telling.owned && dealsIn()) });
      } catch (error) {
        throw error instanceof ReadsTooSlowly ? tooSlow() : error;
      } finally {
        signal.removeEventListener('abort', leave);
        leave();
      }
    },

    writeOffCoordinator({ coordinatorId }) {
      if (coordinatorId === '') throw invalid('coordinator_id is missing');
      const node = state.nodes.nodes.get(nodeId(coordinatorId), state.clock.now());
      const isHeard = (node !== undefined && node.state !== 'GONE') || shell.streams.has(coordinatorId);
      if (isHeard) throw stillHeard(coordinatorId);
      const booked = bookedFor(shell.desk);
      if (node === undefined && !booked.has(coordinatorId)) throw notKnown(coordinatorId, booked);
      const slots = shell.writeOff(coordinatorId);
      return { slots, resourceManagers: [{ resourceManagerId: state.nodeId, slots }] };
    },
  };
}

/** For whom slots are booked here, and whether nothing is heard of it. */
function bookedFor(desk: LeaseDeskShell['desk']): ReadonlyMap<string, boolean> {
  const lives = desk.groups().flatMap(({ group }) => desk.heldBy(group));
  return new Map(lives.map(({ coordinatorId, isSilent }) => [coordinatorId, isSilent]));
}

function notKnown(coordinatorId: string, booked: ReadonlyMap<string, boolean>) {
  const gone = [...booked].flatMap(([id, isSilent]) => (isSilent ? [id] : [])).sort();
  const others =
    gone.length > 0 ? `could be written off: ${gone.join(', ')}` : 'no slots are booked for any that is gone';
  return rpcError(Code.NotFound, `no coordinator "${coordinatorId}" is known; ${others}`, {
    reason: 'COORDINATOR_NOT_FOUND',
    metadata: { coordinators: gone.join(',') },
  });
}

function readRequest(request: LeaseRequest) {
  try {
    return leaseRequestFromWire(request);
  } catch (error) {
    throw error instanceof BadMessage ? bad(error.message) : error;
  }
}

const isSame = (a: CoordinatorLife, b: CoordinatorLife): boolean =>
  a.coordinatorId === b.coordinatorId && a.incarnation === b.incarnation;

const textOf = ({ coordinatorId, incarnation }: CoordinatorLife): string => `${coordinatorId} (life ${incarnation})`;

const bad = (message: string) => rpcError(Code.InvalidArgument, message, { reason: 'BAD_LEASE_MESSAGE' });

const tooSlow = () =>
  rpcError(Code.ResourceExhausted, 'the coordinator reads its grants too slowly: open the stream again', {
    reason: 'LEASE_STREAM_SLOW',
  });

const tooMany = () =>
  rpcError(Code.ResourceExhausted, `${STREAMS_MAX} streams of leases are open here: more are not taken`, {
    reason: 'TOO_MANY_LEASE_STREAMS',
  });

/** Another process has the node id of this resource manager. */
export const nodeIdTaken = (message: string) => rpcError(Code.Unavailable, message, { reason: 'NODE_ID_TAKEN' });

const stillHeard = (coordinatorId: string) =>
  rpcError(
    Code.FailedPrecondition,
    `${coordinatorId} was heard lately: what it runs is known. Stop it, wait until it is no node of the cluster any more, ` +
      'and try again',
    { reason: 'COORDINATOR_HEARD' },
  );
