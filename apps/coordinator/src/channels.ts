import type { Clock, Instant } from '@tutti/base';
import type { ClosableTransport } from '@tutti/service';

/** Channels that nobody has called through for this long are closed; streams that are open on them go on. */
const IDLE_MS = 600_000;

/** One channel per address of the cluster, made when it is first needed. */
export class Channels {
  private readonly channels = new Map<string, { readonly transport: ClosableTransport; usedAt: Instant }>();

  constructor(
    private readonly connect: (address: string) => ClosableTransport,
    private readonly clock: Clock,
  ) {}

  readonly to = (address: string): ClosableTransport => {
    const now = this.clock.now();
    const known = this.channels.get(address);
    if (known) {
      known.usedAt = now;
      return known.transport;
    }
    for (const [other, channel] of this.channels) {
      if (now - channel.usedAt < IDLE_MS) continue;
      channel.transport.close();
      this.channels.delete(other);
    }
    const transport = this.connect(address);
    this.channels.set(address, { transport, usedAt: now });
    return transport;
  };

  close(): void {
    for (const { transport } of this.channels.values()) transport.close();
    this.channels.clear();
  }
}
