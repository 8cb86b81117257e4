import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Code } from '@connectrpc/connect';
import { readRpcError } from '@tutti/service';
import { failure } from './core/query.js';
import { failureError, isRetriable } from './failure-codes.js';

/** The rows of the table in docs/errors.md: reasons with their code. */
function documented(): { reason: string; codes: string[] }[] {
  const text = readFileSync(join(__dirname, '../../../docs/errors.md'), 'utf8');
  return [...text.matchAll(/^\| (`[^|]+`) +\| ([A-Z_, ]+?) +\|/gm)].flatMap(([, reasons = '', codes = '']) =>
    reasons.split(', ').map((reason) => ({ reason: reason.replaceAll('`', ''), codes: codes.split(', ') })),
  );
}

const snakeCase = (code: Code): string => (Code[code] ?? '').replace(/(?<=[a-z])[A-Z]/g, '_$&').toUpperCase();

/** With these, nodes of the cluster answer each other; no query ends with them. */
const BETWEEN_NODES = new Set([
  ...['LEASE_FENCED', 'LEASE_REQUIRED', 'WORKER_NOT_ENROLLED', 'TASK_STOPPING'],
  ...['BAD_LEASE_MESSAGE', 'BAD_SEAT_MESSAGE', 'LEASE_STREAM_SLOW', 'TOO_MANY_LEASE_STREAMS', 'COORDINATOR_HEARD'],
  ...['EXCHANGE_LOST', 'EXCHANGE_BUSY', 'COORDINATOR_NOT_FOUND'],
]);

test('every reason has the code that the documentation says', () => {
  const table = documented().filter(({ reason }) => !BETWEEN_NODES.has(reason));
  expect(table.length).toBeGreaterThan(30);
  const wrong = table.filter(({ reason, codes }) => {
    const { code } = failureError(failure(reason, ''));
    const name = snakeCase(code).replace('CANCELLED', 'CANCELED');
    return !codes.includes(name);
  });
  expect(wrong).toEqual([]);
});

test('only what may pass says when to try again', () => {
  const error = (reason: string) => readRpcError(failureError(failure(reason, '', isRetriable(reason)), 'q1'));
  expect(error('WORKER_LOST')).toMatchObject({ retryAfterMs: 1_000, metadata: { query_id: 'q1' } });
  expect(error('SYNTAX_ERROR').retryAfterMs).toBeUndefined();
});
