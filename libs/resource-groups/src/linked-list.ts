/** A place in a list: holds one value until it is removed. */
export interface Link<T> {
  readonly value: T;
  previous: Link<T> | undefined;
  next: Link<T> | undefined;
}

/** A queue whose members can leave from anywhere, each operation at constant cost. A Map would slow down: its first
 * key is found by skipping all that were deleted before it. */
export class LinkedList<T> {
  first: Link<T> | undefined;
  last: Link<T> | undefined;

  append(value: T): Link<T> {
    const link: Link<T> = { value, previous: this.last, next: undefined };
    if (this.last === undefined) this.first = link;
    else this.last.next = link;
    this.last = link;
    return link;
  }

  /** Takes out a link of this list. */
  remove(link: Link<T>): void {
    if (link.previous === undefined) this.first = link.next;
    else link.previous.next = link.next;
    if (link.next === undefined) this.last = link.previous;
    else link.next.previous = link.previous;
  }
}
