import type { ReportAck } from '@tutti/contracts/tutti/heartbeat/v1/heartbeat_pb';
import { BadMessage, fenceListFromWire, type ShardFences } from '@tutti/lease-wire';
import { SHARD_COUNT } from '@tutti/resource-groups';
import type { Log } from '@tutti/service';
import type { WorkerFences } from './worker-fences.js';

/** Resource managers whose nonsense is remembered, so that each is logged once. */
const SENDERS_MAX = 100;

/** Hears which tasks to refuse, in the answers to this worker's reports. */
export class FenceListener {
  private readonly badSenders = new Set<string>();

  constructor(
    private readonly options: {
      readonly fences: WorkerFences;
      /** The next report says something new. */
      readonly changed: () => void;
      readonly log: Log;
    },
  ) {}

  hear({ resourceManagerId, fences: wires }: ReportAck): void {
    const lists: ShardFences[] = [];
    // Each is whole in itself: a bad one takes no other with it.
    for (const wire of wires.slice(0, SHARD_COUNT)) {
      try {
        lists.push(fenceListFromWire(wire));
      } catch (error) {
        if (!(error instanceof BadMessage)) throw error;
        this.complain(resourceManagerId, error.message);
      }
    }
    if (wires.length > SHARD_COUNT)
      this.complain(resourceManagerId, `${wires.length} lists, but ${SHARD_COUNT} shards`);
    if (lists.length === 0 || !this.options.fences.hear(lists)) return;
    const { log, changed } = this.options;
    log.debug('fences-heard', { resourceManagerId, shards: lists.map(({ shard }) => shard) });
    changed();
  }

  private complain(resourceManagerId: string, problem: string): void {
    if (this.badSenders.has(resourceManagerId) || this.badSenders.size >= SENDERS_MAX) return;
    this.badSenders.add(resourceManagerId);
    const advice = 'ignored; do all nodes run the same version?';
    this.options.log.warn('bad-fences', { resourceManagerId, problem, advice });
  }
}
