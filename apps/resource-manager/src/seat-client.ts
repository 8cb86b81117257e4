import { createClient } from '@connectrpc/connect';
import { SeatService } from '@tutti/contracts/tutti/seat/v1/seat_pb';
import { seatMessagesToWire } from '@tutti/lease-wire';
import type { ClosableTransport } from '@tutti/service';
import type { OpenSeatStream } from './seat-link.js';

/** Opens streams to other seats. */
export const seatStreams =
  (connect: (address: string) => ClosableTransport): OpenSeatStream =>
  async (address, messages, signal) => {
    const transport = connect(address);
    async function* requests() {
      for await (const message of messages) yield* seatMessagesToWire(message);
    }
    try {
      await createClient(SeatService, transport).deliver(requests(), { signal, timeoutMs: 0 });
    } finally {
      transport.close();
    }
  };
