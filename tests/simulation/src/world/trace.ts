import type { SimProcess } from '../kernel/sim-process.js';

/** Tells a run to people, line by line. */
export class Trace {
  readonly lines: string[] = [];

  constructor(
    private readonly now: () => number,
    private readonly linesMax: number,
  ) {}

  note(who: SimProcess | string, text: string): void {
    if (this.lines.length === this.linesMax) this.lines.push(`... and more: only ${this.linesMax} lines are told`);
    if (this.lines.length > this.linesMax) return;
    const name = typeof who === 'string' ? who : who.name;
    this.lines.push(`${(this.now() / 1_000).toFixed(3).padStart(8)} ${name.padEnd(3)} ${text}`);
  }
}
