import { type ClosableTransport, createClusterTransport } from './cluster-transport.js';

/**
 * Shares one channel per address among those who talk to it. A channel that one of them closes, since its connection
 * failed, is given to nobody else: the next one gets a new channel, and the old one ends with its last user.
 */
export class ChannelPool {
  private readonly open = new Map<string, Shared>();

  constructor(private readonly create: (address: string) => ClosableTransport = createChannel) {}

  readonly connect = (address: string): ClosableTransport => {
    const shared = this.open.get(address) ?? { transport: this.create(address), users: 0 };
    this.open.set(address, shared);
    shared.users++;
    let closed = false;
    const close = () => {
      if (closed) return;
      closed = true;
      if (this.open.get(address) === shared) this.open.delete(address);
      if (--shared.users === 0) shared.transport.close();
    };
    return { ...shared.transport, close };
  };
}

interface Shared {
  readonly transport: ClosableTransport;
  users: number;
}

const createChannel = (address: string): ClosableTransport => createClusterTransport({ address });
