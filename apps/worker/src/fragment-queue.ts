// Which fragment of a session fetches its inputs, and which one runs. Pure: an event in, effects out.
//   Q1. One fragment runs at a time: the engine gives it all threads of the session.
//   Q2. At most queuedMax fragments wait; more are refused. An id is in the queue once.
//   Q3. Inputs are fetched, in the order of asking, for at most fetchAhead fragments that do not run: also while another one runs.
//   Q4. Of those whose inputs are here the one that was asked first runs next: nobody waits for another one's inputs.
//   Q5. A fragment that ended, well or not, leaves the queue; the next one has its place at once.
import { invariant, unreachable } from '@tutti/base';

export type FragmentEvent =
  | { readonly kind: 'asked'; readonly id: string }
  /** All its inputs are here. */
  | { readonly kind: 'fetched'; readonly id: string }
  /** It is done, failed, or nobody wants it any more; the engine does not work on it. */
  | { readonly kind: 'ended'; readonly id: string };

export type FragmentEffect =
  | { readonly kind: 'fetch'; readonly id: string }
  | { readonly kind: 'run'; readonly id: string }
  | { readonly kind: 'refuse'; readonly reason: 'knownFragment' | 'queueFull' };

type Phase = 'waiting' | 'fetching' | 'ready' | 'running';

/** The fragments of one session. */
export class FragmentQueue {
  /** In the order of asking. */
  private readonly phases = new Map<string, Phase>();

  constructor(private readonly options: { readonly queuedMax: number; readonly fetchAhead: number }) {}

  /** Fragments that wait or run. */
  get size(): number {
    return this.phases.size;
  }

  apply(event: FragmentEvent): FragmentEffect[] {
    switch (event.kind) {
      case 'asked':
        if (this.phases.has(event.id)) return [{ kind: 'refuse', reason: 'knownFragment' }];
        if (this.count('waiting', 'fetching', 'ready') >= this.options.queuedMax)
          return [{ kind: 'refuse', reason: 'queueFull' }];
        this.phases.set(event.id, 'waiting');
        return this.go();
      case 'fetched':
        invariant(this.phases.get(event.id) === 'fetching', 'inputs come when they are asked for');
        this.phases.set(event.id, 'ready');
        return this.go();
      case 'ended':
        this.phases.delete(event.id);
        return this.go();
      default:
        return unreachable(event);
    }
  }

  private go(): FragmentEffect[] {
    const effects: FragmentEffect[] = [];
    const ready = this.first('ready');
    if (ready !== undefined && this.count('running') === 0) effects.push(this.enter('running', 'run', ready));
    for (;;) {
      const next = this.first('waiting');
      if (next === undefined || this.count('fetching', 'ready') >= this.options.fetchAhead) return effects;
      effects.push(this.enter('fetching', 'fetch', next));
    }
  }

  private enter(phase: Phase, kind: 'fetch' | 'run', id: string): FragmentEffect {
    this.phases.set(id, phase);
    return { kind, id };
  }

  private first(phase: Phase): string | undefined {
    for (const [id, of] of this.phases) if (of === phase) return id;
    return undefined;
  }

  private count(...phases: Phase[]): number {
    return [...this.phases.values()].filter((phase) => phases.includes(phase)).length;
  }
}
