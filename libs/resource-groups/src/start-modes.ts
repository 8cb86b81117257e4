import type { Instant } from '@tutti/base';
import type { ClaimRounds } from './claim-rounds.js';
import { GatedStarts } from './gated-starts.js';
import type { AdmissionMode } from './group-config.js';
import type { GroupRoot } from './group-root.js';
import { LeasedStarts } from './leased-starts.js';
import type { LeaseHolderOptions } from './leases/lease-holder.js';
import { PrestoStarts } from './presto-starts.js';
import type { StartMode, TreeParts } from './start-mode.js';
import type { StartRules } from './start-rules.js';

/** The modes of one group tree, and which tree of groups is in which. */
export class StartModes {
  readonly leased: LeasedStarts;
  private readonly modes: Readonly<Record<AdmissionMode, StartMode>>;

  constructor(parts: TreeParts, rounds: ClaimRounds, rules: StartRules, leases: LeaseHolderOptions) {
    this.leased = new LeasedStarts(parts, leases);
    const gated = new GatedStarts(parts, rounds, rules);
    this.modes = { leased: this.leased, gated, presto: new PrestoStarts(parts, rounds) };
  }

  of(root: GroupRoot): StartMode {
    return this.modes[root.mode ?? root.node.spec.admissionMode];
  }

  /** Operates a tree of groups by the mode that its configuration says now. */
  follow(root: GroupRoot, now: Instant): void {
    const mode = root.node.spec.admissionMode;
    if (root.mode === mode) return;
    if (root.mode !== undefined) this.modes[root.mode].leave(root);
    root.mode = mode;
    this.modes[mode].enter(root, now);
  }
}
