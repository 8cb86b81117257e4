// Every way in which a command ends badly, with its exit code. Commands throw these; main prints them, once.
import type { RemoteError } from '@tutti/service';

/** The exit codes of `tutti`; part of its interface. */
export const EXIT = { ok: 0, failed: 1, usage: 2, cannotConnect: 3, interrupted: 130, terminated: 143 } as const;

/** The command line or an input file is wrong. The message says what to do. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** No server could be reached, or what was reached is no Tutti server. */
export class CannotConnectError extends Error {
  override readonly name = 'CannotConnectError';

  constructor(readonly attempts: readonly { readonly url: string; readonly problem: string }[]) {
    super(attempts.map(({ url, problem }) => `${url}: ${problem}`).join('\n'));
  }
}

/** The server answered with an error. */
export class RequestFailedError extends Error {
  override readonly name = 'RequestFailedError';

  constructor(readonly remote: RemoteError) {
    super(remote.message);
  }
}

/** What was asked for did not come true, and everything about it has been printed. */
export class FailedQuietlyError extends Error {
  override readonly name = 'FailedQuietlyError';
}

/** The user pressed Ctrl-C, or the process was told to end. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';

  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
  }
}

/** Nobody reads standard output any more (`| head`): the quiet end of a pipeline. */
export class OutputClosedError extends Error {
  override readonly name = 'OutputClosedError';
}

/** Standard output cannot be written to, for example because the disk is full. */
export class OutputFailedError extends Error {
  override readonly name = 'OutputFailedError';
}
