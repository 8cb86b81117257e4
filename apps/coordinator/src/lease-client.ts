import { createClient } from '@connectrpc/connect';
import { ResourceGroupService } from '@tutti/contracts/tutti/resourcegroup/v1/resource_group_pb';
import { leaseRequestToWire, leaseResponseFromWire, type LeaseTelling, type ShardDemand } from '@tutti/lease-wire';
import type { CoordinatorLife } from '@tutti/resource-groups';
import { type ClosableTransport, readStream } from '@tutti/service';

/** A channel to one resource manager. */
export interface LeaseChannel {
  /**
   * One stream: each item of `messages` is sent as one message. Ends with an error when the stream breaks, when something
   * comes that makes no sense, or when `signal` aborts.
   */
  talk(messages: AsyncIterable<readonly ShardDemand[]>, signal: AbortSignal): AsyncIterable<LeaseTelling>;
  close(): void;
}

/** Opens a channel to the resource manager at an address. */
export type LeaseSource = (address: string) => LeaseChannel;

/** Speaks for one life of a coordinator. */
export function createLeaseSource(options: {
  readonly life: CoordinatorLife;
  readonly connect: (address: string) => ClosableTransport;
}): LeaseSource {
  const { life, connect } = options;
  async function* requests(messages: AsyncIterable<readonly ShardDemand[]>) {
    for await (const demands of messages) yield leaseRequestToWire(life, demands);
  }
  return (address) => {
    const transport = connect(address);
    const client = createClient(ResourceGroupService, transport);
    return {
      async *talk(messages, signal) {
        const open = (inner: AbortSignal) => client.lease(requests(messages), { signal: inner, timeoutMs: 0 });
        for await (const answer of readStream(open, signal)) yield leaseResponseFromWire(answer);
      },
      close: () => transport.close(),
    };
  };
}
