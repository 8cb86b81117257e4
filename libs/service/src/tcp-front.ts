import { type Server, type Socket, createServer } from 'node:net';
import { listen } from './listen.js';

/**
 * A listening port that knows its sockets. HTTP servers are given connections from it and never listen themselves: only
 * the sockets end a drain for sure. A destroyed HTTP/2 session still waits for its client to read what was sent.
 */
export class TcpFront {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();
  private boundPort = 0;

  constructor(onConnection: (socket: Socket) => void) {
    this.server = createServer({ noDelay: true }, (socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
      onConnection(socket);
    });
  }

  /** The port that it listens on. */
  get port(): number {
    return this.boundPort;
  }

  /** Throws PortTakenError, which names `setting`. */
  async listen(port: number, host: string, setting: string): Promise<void> {
    this.boundPort = await listen(this.server, port, host, setting);
  }

  /** Takes no more connections; resolves when the last socket has closed. */
  stopListening(): Promise<void> {
    if (!this.server.listening) return Promise.resolve();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  destroySockets(): void {
    for (const socket of this.sockets) socket.destroy();
  }
}
