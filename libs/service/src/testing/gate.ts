/** Something that happens once, for tests to wait for instead of sleeping. */
export class Gate<T = void> {
  readonly opened: Promise<T>;
  open!: (value: T) => void;

  constructor() {
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}

/** Resolves when `holds` does; looks again after each turn of the event loop. Fails the test by its timeout. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
