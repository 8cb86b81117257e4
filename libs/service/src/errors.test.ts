import { Code, ConnectError } from '@connectrpc/connect';
import { readRpcError, rpcError } from './errors.js';

const nodeError = (code: string, message = code): Error => Object.assign(new Error(message), { code });
const caused = (code: Code, cause: Error): ConnectError =>
  new ConnectError(String(cause), code, undefined, undefined, cause);

describe('readRpcError', () => {
  test('reads what rpcError wrote', () => {
    const error = rpcError(Code.Unavailable, 'gone', {
      reason: 'COORDINATOR_GONE',
      metadata: { nodeId: 'c-1' },
      retryAfterMs: 99.5,
      neverProcessed: true,
    });
    expect(readRpcError(error)).toEqual({
      code: Code.Unavailable,
      message: 'gone',
      reason: 'COORDINATOR_GONE',
      metadata: { nodeId: 'c-1' },
      retryAfterMs: 100,
      neverProcessed: true,
    });
  });

  test.each([
    ['a refused connection', caused(Code.Unavailable, nodeError('ECONNREFUSED')), true],
    ['a name that is not known', caused(Code.Unavailable, nodeError('ENOTFOUND')), true],
    [
      'a stream that a draining server refused',
      caused(
        Code.Internal,
        nodeError('ERR_HTTP2_STREAM_ERROR', 'Stream closed with error code NGHTTP2_REFUSED_STREAM'),
      ),
      true,
    ],
    [
      'the same through a reset',
      new ConnectError('http/2 stream closed with error code REFUSED_STREAM (0x7)', Code.Unavailable),
      true,
    ],
    [
      'a stream whose server was killed',
      new ConnectError('http/2 stream closed with error code CANCEL (0x8)', Code.Canceled),
      false,
    ],
    ['the same through grpc-js', new ConnectError('Stream refused by server', Code.Unavailable), true],
    ['a session that was going away', caused(Code.Internal, nodeError('ERR_HTTP2_GOAWAY_SESSION')), true],
    [
      'no connection in grpc-js',
      new ConnectError('No connection established. Last error: connect ECONNREFUSED', Code.Unavailable),
      true,
    ],
    ['a reset connection', caused(Code.Aborted, nodeError('ECONNRESET')), false],
    ['a session that broke', caused(Code.Internal, nodeError('ERR_HTTP2_SESSION_ERROR')), false],
  ])('%s is UNAVAILABLE; never processed: only if that is certain', (_, error, neverProcessed) => {
    expect(readRpcError(error)).toMatchObject({ code: Code.Unavailable, reason: undefined, neverProcessed });
  });

  test('what the caller did itself stays what it was', () => {
    const controller = new AbortController();
    controller.abort();
    expect(readRpcError(controller.signal.reason).code).toBe(Code.Canceled);
    const late = caused(Code.DeadlineExceeded, nodeError('ECONNRESET'));
    expect(readRpcError(late)).toMatchObject({ code: Code.DeadlineExceeded, neverProcessed: false });
  });

  test('an answer of the server is never taken for a fault of the connection', () => {
    const answer = rpcError(Code.Internal, 'REFUSED_STREAM is what I say', { reason: 'INTERNAL_ERROR' });
    expect(readRpcError(answer)).toMatchObject({ code: Code.Internal, neverProcessed: false });
  });

  test('other errors are UNKNOWN, with their message', () => {
    expect(readRpcError(new Error('boom'))).toMatchObject({ code: Code.Unknown, message: 'boom', reason: undefined });
    expect(readRpcError('text')).toMatchObject({ code: Code.Unknown, message: 'text' });
  });
});
