// What the parts of a lease owner share: its book.
import { type Instant, instant } from '@tutti/base';
import type { CoordinatorLife } from '../usage-ledger.js';
import { CopyLedger } from './copy-ledger.js';
import type { DealNode } from './deal-node.js';
import { DealTree } from './deal-tree.js';
import { FenceBook, type OwnerFence } from './fence-book.js';
import { Holding } from './holding.js';
import type { GrantKind } from './lease-messages.js';
import type { LeaseRules, LeaseTiming } from './lease-timing.js';
import { expiryMs, later } from './lease-timing.js';
import { Life, lifeKey } from './life.js';
import type { OwnerCounters } from './owner-events.js';
import { OwnerRoots } from './owner-roots.js';
import { WorkerEvidence } from './worker-evidence.js';

/** learning: it knows too little to deal. resigning: it deals no more. */
export type Phase = 'idle' | 'learning' | 'dealing' | 'resigning';

const NUMBERS_PER_LIFE = 1e9;
const LEFT_MAX = 4_096;

export class OwnerState {
  phase: Phase = 'idle';
  /** What former owners dealt is known, and fenced where it is not. */
  hasLearned = false;
  epoch = 0;
  readonly tree = new DealTree();
  readonly counters: OwnerCounters = { overclaims: 0, fenced: 0, copiesRefused: 0, writtenOff: 0 };
  lives = new Map<string, Life>();
  /** The newest life of each coordinator. */
  newest = new Map<string, Life>();
  /** The last life, with its last demand, of coordinators of which nothing is left: late demands stay late. */
  left = new Map<string, { readonly incarnation: number; readonly seq: number }>();
  copies = new CopyLedger();
  fences = new FenceBook(0);
  readonly roots = new OwnerRoots();
  evidence = new WorkerEvidence(0);
  members: ReadonlyMap<string, number> | undefined;
  learnEndsAt: Instant = instant(0);
  /** All of older epochs is fenced by it, once learning is over. */
  floor: OwnerFence | undefined;
  /** It has learned something that is not known to be copied. */
  isUncopied = false;
  /** No seat could take a copy, at that time: nothing is dealt for a while. */
  copyRefusedAt: Instant | undefined;
  tickedAt: Instant = instant(-Infinity);
  floorCheckedAt: Instant = instant(-Infinity);
  /** When something is to be pushed that waits for more. */
  pushesAt: Instant = instant(Infinity);
  /** Whoever may be owed a message after this event. */
  readonly touched = new Set<Life>();
  /** Groups in which something may be dealt after this event. */
  readonly toDeal = new Set<DealNode>();
  /** Holdings with copies that are higher than need be, and since when. */
  readonly loose = new Map<Holding, Instant>();
  /** CPU time that the demand at hand said was used. */
  readonly cpuCame: { readonly leaf: DealNode; readonly cameMs: number }[] = [];
  /** The holdings that the demand at hand was about. */
  readNow: readonly Holding[] = [];
  private livesDropped = 0;

  constructor(
    readonly timing: LeaseTiming,
    readonly rules: LeaseRules,
  ) {}

  /** Begins anew, with an empty book. */
  begin(phase: Phase, epoch: number): void {
    for (const life of this.lives.values()) this.forget(life);
    this.phase = phase;
    this.hasLearned = phase === 'dealing';
    this.epoch = epoch;
    this.lives = new Map();
    this.newest = new Map();
    this.left = new Map();
    this.copies = new CopyLedger();
    this.roots.opening.clear();
    this.fences = new FenceBook(epoch, this.roots.names);
    this.evidence = new WorkerEvidence(epoch);
    this.members = undefined;
    this.floor = undefined;
    this.isUncopied = false;
    this.copyRefusedAt = undefined;
    this.livesDropped = 0;
    this.touched.clear();
    this.toDeal.clear();
    this.loose.clear();
  }

  /** Whether a newer life of its coordinator is known. */
  isReplaced({ coordinatorId, incarnation }: CoordinatorLife): boolean {
    const newest = this.newest.get(coordinatorId)?.id ?? this.left.get(coordinatorId);
    return incarnation < Math.max(newest?.incarnation ?? 0, this.members?.get(coordinatorId) ?? 0);
  }

  /** The book of a life, opened if need be. */
  lifeOf(id: CoordinatorLife, now: Instant): Life {
    const key = lifeKey(id);
    let life = this.lives.get(key);
    if (life !== undefined) return life;
    const { coordinatorId, incarnation } = id;
    life = new Life({ coordinatorId, incarnation }, later(now, expiryMs(this.timing)));
    life.isMember = this.members?.has(coordinatorId) ?? false;
    const left = this.left.get(coordinatorId);
    if (left?.incarnation === incarnation) life.seq = left.seq;
    // A life that comes back would take the numbers of its former book for old ones.
    life.grantNumber = this.livesDropped * NUMBERS_PER_LIFE;
    this.lives.set(key, life);
    const newest = this.newest.get(coordinatorId);
    if (newest === undefined || newest.id.incarnation < incarnation) this.newest.set(coordinatorId, life);
    return life;
  }

  holdingOf(life: Life, group: string, template?: string): Holding {
    let holding = life.holdings.get(group);
    if (holding === undefined) {
      holding = new Holding(life, this.tree.reach(group, template));
      holding.leaf.holdings.add(holding);
      life.holdings.set(group, holding);
    } else if (holding.leaf.known === undefined) this.tree.reach(group, template);
    return holding;
  }

  /** What a holding counts for, or could use, may have changed. */
  settle(holding: Holding, wasDealt = false): void {
    const { life, leaf } = holding;
    leaf.settle(holding, this.mayTake(life), wasDealt);
    const wants = holding.running + holding.waiting + holding.slack > holding.held;
    if (wants && life.standing === 'leased') life.wanting.add(holding);
    else life.wanting.delete(holding);
    if (holding.unmet > 0) life.unmet.add(holding);
    else life.unmet.delete(holding);
    if (!wasDealt) this.toDeal.add(leaf.lineage.at(-1) ?? leaf);
  }

  settleAll(life: Life): void {
    for (const holding of life.holdings.values()) this.settle(holding);
  }

  /** Whether a coordinator may get more. */
  mayTake(life: Life): boolean {
    if (this.phase !== 'dealing' || this.copyRefusedAt !== undefined) return false;
    return life.standing === 'leased' && life.isMember && life.isKnown && !life.isSilent;
  }

  owe(life: Life, kind: GrantKind, now: Instant): void {
    life.owed = { kind, since: now };
    this.touched.add(life);
  }

  /** Nothing is left in a holding; its copy is taken out when there is one. */
  dropHolding(holding: Holding): void {
    const { life, leaf } = holding;
    holding.held = holding.running = holding.waiting = holding.slack = holding.onWorkers = 0;
    if (holding.copied > 0 || holding.copySeq > 0) this.copies.holding(holding);
    this.settle(holding);
    leaf.holdings.delete(holding);
    life.holdings.delete(leaf.path);
    for (const set of [life.raised, life.wished, life.wanting, life.unmet, life.cpuTold]) set.delete(holding);
    this.loose.delete(holding);
    this.tree.collect(leaf);
  }

  /** Nothing is left of a life. */
  dropLife(life: Life): void {
    for (const holding of [...life.holdings.values()]) this.dropHolding(holding);
    this.lives.delete(life.key);
    const { coordinatorId, incarnation } = life.id;
    if (this.newest.get(coordinatorId) === life) {
      this.newest.delete(coordinatorId);
      this.left.delete(coordinatorId);
      this.left.set(coordinatorId, { incarnation, seq: life.seq });
      for (const [oldest] of this.left) if (this.left.size > LEFT_MAX) this.left.delete(oldest);
    }
    this.touched.delete(life);
    this.livesDropped++;
  }

  private forget(life: Life): void {
    for (const holding of life.holdings.values()) {
      holding.held = holding.running = holding.waiting = holding.onWorkers = 0;
      holding.leaf.settle(holding, false);
      holding.leaf.holdings.delete(holding);
      this.tree.collect(holding.leaf);
    }
  }
}
