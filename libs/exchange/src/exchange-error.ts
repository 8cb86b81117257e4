/** Why the exchange failed a fragment, as docs/errors.md names it. */
export type ExchangeErrorReason = 'EXCHANGE_LOST' | 'EXCEEDED_EXCHANGE_LIMIT' | 'DISK_FULL' | 'PERMISSION_DENIED';

/** Where a file was to be had. */
export interface FilePlace {
  /** The session that holds it. */
  readonly taskId: string;
  /** Edge address of its worker. */
  readonly worker: string;
  /** Its name in the session. */
  readonly file: string;
}

/** Exchange files could not be had, or not be kept. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';

  constructor(
    readonly reason: ExchangeErrorReason,
    message: string,
    /** The file that could not be had: whoever made it must make it again. */
    readonly place?: FilePlace,
  ) {
    super(message);
  }
}

/** A file, or the session or worker that held it, is gone. */
export const exchangeLost = (place: FilePlace, why: string): ExchangeError =>
  new ExchangeError(
    'EXCHANGE_LOST',
    `The exchange file ${place.file} of task ${place.taskId} on worker ${place.worker} is lost: ${why}.`,
    place,
  );
