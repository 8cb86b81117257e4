import { Code, type ServiceImpl } from '@connectrpc/connect';
import type { DeliverRequest, SeatService } from '@tutti/contracts/tutti/seat/v1/seat_pb';
import { BadMessage, seatMessageFromWire, seatSetToWire } from '@tutti/lease-wire';
import { type Holder, type SeatMessage, SHARD_COUNT, type SeatSet, shardOfGroup } from '@tutti/resource-groups';
import { type Counter, rpcError, untilAborted } from '@tutti/service';
import type { ClusterState } from './cluster-state.js';
import type { LeaseDeskShell } from './lease-desk-shell.js';
import type { SeatStanding } from './seat-watch.js';

const FUTURE_MAX_MS = 86_400_000;

export interface SeatServiceOptions {
  readonly state: ClusterState;
  readonly shell: LeaseDeskShell;
  readonly seats: SeatSet;
  /** Counts messages of other seats. */
  readonly messages: Pick<Counter<string>, 'inc'>;
  readonly standing: () => SeatStanding;
}

/** What people may ask. */
export const seatQuestions = (options: SeatServiceOptions): Pick<ServiceImpl<typeof SeatService>, 'listShards'> => ({
  listShards: () => listShards(options),
});

/** Hears the other seats, too. Streams end when `drainSignal` aborts. */
export function seatService(options: SeatServiceOptions, drainSignal: AbortSignal): ServiceImpl<typeof SeatService> {
  const { shell, state, messages } = options;
  return {
    ...seatQuestions(options),
    async deliver(requests) {
      let sender: Holder | undefined;
      for await (const request of untilAborted(requests, drainSignal)) {
        const message = readMessage(request);
        const { from } = message;
        refuseFuture(message, state.clock.wallMs());
        if (from.seat === state.nodeId) throw bad(`the node id ${from.seat} is taken: it is that of the receiver`);
        if (sender !== undefined && sender.seat !== from.seat)
          throw bad(`the stream of ${sender.seat} says it is of ${from.seat}`);
        sender = from;
        messages.inc({ direction: 'received' });
        shell.apply({ kind: 'seatMessage', message });
      }
      return {};
    },
  };
}

function listShards({ state, shell: { desk }, seats, standing }: SeatServiceOptions) {
  const now = state.clock.now();
  const { votes, problems } = standing();
  const phases = new Map(desk.owned().map((owned) => [owned.shard, owned]));
  const groups = new Map<number, string[]>();
  for (const { template, isDynamic, admissionMode } of state.groups.current.config.rootGroups) {
    if (isDynamic || admissionMode !== 'leased') continue;
    const shard = shardOfGroup(template);
    groups.set(shard, [...(groups.get(shard) ?? []), template]);
  }
  return {
    resourceManagerId: state.nodeId,
    seats: seatSetToWire(seats),
    ready: votes,
    problems: [...problems],
    shards: Array.from({ length: SHARD_COUNT }, (_, shard) => {
      const owned = phases.get(shard);
      const known = desk.ownerOf(shard, now);
      const rootGroups = groups.get(shard) ?? [];
      if (owned !== undefined)
        return { shard, owner: state.nodeId, epoch: BigInt(owned.epoch), phase: owned.phase, rootGroups };
      // What it has promised to itself it only seeks.
      if (known === undefined || known.holder.seat === state.nodeId) return { shard, rootGroups };
      return { shard, owner: known.holder.seat, epoch: BigInt(known.epoch), rootGroups };
    }),
  };
}

function readMessage(request: DeliverRequest) {
  try {
    return seatMessageFromWire(request);
  } catch (error) {
    throw error instanceof BadMessage ? bad(error.message) : error;
  }
}

/** Lives are numbered by wall clocks: one from so far ahead would fence off all that come before that day. */
function refuseFuture(message: SeatMessage, wallMs: number): void {
  const lives = [message.from.incarnation, ...(message.kind === 'holdAnswer' ? [message.askerIncarnation] : [])];
  const newest = Math.max(...lives);
  if (newest <= wallMs + FUTURE_MAX_MS) return;
  throw bad(
    `incarnation ${newest} of ${message.from.seat} is more than a day ahead of the clock here, ${wallMs}: correct the clocks`,
  );
}

const bad = (message: string) => rpcError(Code.InvalidArgument, message, { reason: 'BAD_SEAT_MESSAGE' });
