import type { Socket } from 'node:net';

const HTTP2_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n');
/** A client that has said nothing by then is cut off. */
const FIRST_BYTES_TIMEOUT_MS = 30_000;

/**
 * Tells HTTP/2 with prior knowledge from HTTP/1.1 by the first bytes of a connection. The bytes are put back: whoever
 * gets the socket reads them again.
 */
export function sniffProtocol(socket: Socket, found: (protocol: 'http1' | 'http2') => void): void {
  const timer = setTimeout(() => socket.destroy(), FIRST_BYTES_TIMEOUT_MS).unref();
  // A connection that breaks before it has said anything is nobody's news; later its HTTP server listens.
  const onError = () => undefined;
  let seen = Buffer.alloc(0);
  const onReadable = () => {
    // read() leaves the socket paused, as an HTTP/2 session needs it: that takes over below the stream.
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    seen = Buffer.concat([seen, chunk]);
    const length = Math.min(seen.length, HTTP2_PREFACE.length);
    const likeHttp2 = seen.subarray(0, length).equals(HTTP2_PREFACE.subarray(0, length));
    if (likeHttp2 && length < HTTP2_PREFACE.length) return;
    stop();
    socket.unshift(seen);
    found(likeHttp2 ? 'http2' : 'http1');
  };
  const stop = () => {
    clearTimeout(timer);
    socket.off('readable', onReadable);
    socket.off('error', onError);
    socket.off('close', stop);
  };
  socket.on('error', onError);
  socket.on('close', stop);
  socket.on('readable', onReadable);
}
