// Where the results of one command go: to standard output or into a file.
//   S1. A file appears under its name only when everything is in it; until then, and when the command fails, what was there
//       before stays.
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { OutputFailedError, UsageError } from '../failures.js';
import type { ResultFormatName } from '../output/result-format.js';
import type { Terminal } from '../terminal.js';

/** Text, or bytes of a binary format. */
export type Piece = string | Uint8Array;

export class ResultSink {
  private begun = false;

  private constructor(
    private readonly format: ResultFormatName,
    private readonly target: Pick<Terminal, 'write'>,
    private readonly file: PartFile | undefined,
  ) {}

  /** Opens the file of that name; without a name, results go to standard output. */
  static async open(format: ResultFormatName, path: string | undefined, terminal: Terminal): Promise<ResultSink> {
    if (path === undefined) {
      if (format === 'parquet' && terminal.stdoutIsTerminal)
        throw new UsageError('Parquet is not for a terminal: name a file with --output-file FILE, or write > FILE');
      return new ResultSink(format, terminal, undefined);
    }
    const file = await PartFile.open(path);
    return new ResultSink(format, file, file);
  }

  /** The rows of another result come now. */
  begin(): void {
    if (this.begun && this.format === 'parquet')
      throw new UsageError('a Parquet file holds one result: run one query at a time');
    this.begun = true;
  }

  write(piece: Piece, signal: AbortSignal): Promise<void> {
    return this.target.write(piece, signal);
  }

  /** The results are there, or not to be kept (S1). */
  async close(isWhole: boolean): Promise<void> {
    await this.file?.close(isWhole);
  }
}

/** A file that is written under another name first. */
class PartFile {
  private constructor(
    private readonly path: string,
    private readonly partPath: string,
    private readonly handle: FileHandle,
  ) {}

  static async open(path: string): Promise<PartFile> {
    const partPath = `${path}.${process.pid}.part`;
    try {
      return new PartFile(path, partPath, await open(partPath, 'wx'));
    } catch (error) {
      throw new UsageError(`cannot write the file of --output-file: ${(error as Error).message}`);
    }
  }

  write(piece: Piece): Promise<void> {
    return this.guard(() => this.handle.writeFile(piece));
  }

  async close(isWhole: boolean): Promise<void> {
    await this.guard(() => this.handle.close());
    if (isWhole) await this.guard(() => rename(this.partPath, this.path));
    else await this.guard(() => rm(this.partPath, { force: true }));
  }

  private async guard(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      throw new OutputFailedError(`cannot write to ${this.path}: ${(error as Error).message}`);
    }
  }
}
