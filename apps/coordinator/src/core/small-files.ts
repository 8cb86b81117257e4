// The content of small exchange files of one query, kept by its coordinator: a fragment that reads them elsewhere gets them with
// its request, instead of fetching them from the worker that wrote them. Pure.
//   C1. The worker that wrote a file keeps it, too: a file whose content is not here, or no longer, is fetched.
//   C2. At most HELD_BYTES_MAX are held for a query; what came first goes first. A request brings at most INPUT_BYTES_MAX.

/** The most that the output of one fragment brings along. */
export const OUTPUT_CONTENT_BYTES_MAX = 64 << 10;
/** The most that comes with the request for one fragment. */
export const INPUT_BYTES_MAX = 256 << 10;
/** As much as a query's rows may take that wait for its client. */
export const HELD_BYTES_MAX = 1 << 20;

/** A file of a session. */
export interface FileName {
  readonly sessionId: string;
  readonly name: string;
}

export class SmallFiles {
  /** The oldest first. */
  private readonly contents = new Map<string, Uint8Array>();
  private heldBytes = 0;

  /** Keeps the content of a file, if it came. */
  keep(file: FileName, content: Uint8Array | undefined): void {
    if (content === undefined || content.length > HELD_BYTES_MAX) return;
    this.drop(keyOf(file));
    this.contents.set(keyOf(file), content);
    this.heldBytes += content.length;
    for (const key of this.contents.keys()) {
      if (this.heldBytes <= HELD_BYTES_MAX) return;
      this.drop(key); // C2
    }
  }

  /** Finds what a request to a session brings along: nothing that the session wrote itself. */
  forSession(sessionId: string): (file: FileName) => Uint8Array | undefined {
    let leftBytes = INPUT_BYTES_MAX;
    return (file) => {
      const content = file.sessionId === sessionId ? undefined : this.contents.get(keyOf(file));
      if (content === undefined || content.length > leftBytes) return undefined;
      leftBytes -= content.length;
      return content;
    };
  }

  private drop(key: string): void {
    this.heldBytes -= this.contents.get(key)?.length ?? 0;
    this.contents.delete(key);
  }
}

const keyOf = ({ sessionId, name }: FileName): string => `${sessionId}/${name}`;
