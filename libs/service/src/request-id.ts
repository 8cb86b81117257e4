import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import type { Interceptor } from '@connectrpc/connect';

export const REQUEST_ID_HEADER = 'x-request-id';
const REQUEST_ID = /^[\w.:-]{1,128}$/;

const current = new AsyncLocalStorage<string>();

/** The id of the call that is being served here, for logs; undefined outside of calls. */
export const requestId = (): string | undefined => current.getStore();

/** Runs `run` as part of the call with this id. */
export const withRequestId = <T>(id: string, run: () => T): T => current.run(id, run);

/** The id that the caller sent, if it is one that may stand in a log; else a new one. */
export const requestIdOf = (header: Headers): string => {
  const given = header.get(REQUEST_ID_HEADER);
  return given !== null && REQUEST_ID.test(given) ? given : randomUUID();
};

/** Client interceptor: a call made while serving another carries the id of that one. */
export const forwardRequestId: Interceptor = (next) => (request) => {
  const id = requestId();
  if (id !== undefined && !request.header.has(REQUEST_ID_HEADER)) request.header.set(REQUEST_ID_HEADER, id);
  return next(request);
};
