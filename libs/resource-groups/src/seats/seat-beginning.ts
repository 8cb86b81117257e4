// What a seat knows of the beginning of its cluster.
//   F1. An operator may vouch that a start is the first one of a cluster. That is taken for true only when every seat has
//       told, to this life, that it remembers and has promised nothing, and nobody has told of an owner before this seat
//       has promised anything; a seat that was told so says it. So a seat that restarts alone with the same word changes
//       nothing.
//   F2. Who wins a shard then is its first owner when none of those that promise it has ever promised it, in the lives that
//       told so: a former owner was elected by lives before all of these. It has nothing to learn.
import type { Holder } from './seat-messages.js';
import type { SeatId } from './shard.js';

export class Beginning {
  /** The lives of the other seats when all seats knew nothing; undefined while that is not known. */
  private blankLives: ReadonlyMap<SeatId, number> | undefined;
  private knowsEarlierLife = false;

  constructor(private isVouched: boolean) {}

  /** In this life there was a moment when no seat knew anything: stays true, so that no promise is refused later. */
  get everybodyWasBlank(): boolean {
    return this.blankLives !== undefined;
  }

  noteEverybodyBlank(lives: ReadonlyMap<SeatId, number>): void {
    this.blankLives = lives;
  }

  /** Somebody knows of a former life of the cluster. */
  noteEarlierLife(): void {
    this.isVouched = false;
    this.knowsEarlierLife = true;
  }

  get hasEarlierLife(): boolean {
    return this.knowsEarlierLife;
  }

  /** F1 */
  get isFirst(): boolean {
    return this.isVouched && this.everybodyWasBlank;
  }

  /** It is the first start, unless some seat knows better. */
  get awaitsFirst(): boolean {
    return this.isVouched && !this.everybodyWasBlank;
  }

  /** Whether this life of another seat was there when all seats knew nothing. */
  wasBlank({ seat, incarnation }: Holder): boolean {
    return this.blankLives?.get(seat) === incarnation;
  }

  /** F2 */
  makesFirstOwner(grants: readonly { readonly wasBlank: boolean; readonly priorEpoch: number }[]): boolean {
    return this.isFirst && grants.every(({ wasBlank, priorEpoch }) => wasBlank && priorEpoch === 0);
  }
}
