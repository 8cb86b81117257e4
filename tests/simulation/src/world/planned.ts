// A run as data: everything that is decided before it begins. Whoever shrinks a failing run takes things out of it.
import type { GroupConfig } from '@tutti/resource-groups';
import type { NetworkFaults } from '../kernel/sim-network.js';

export const MODES = ['leased', 'gated', 'presto'] as const;
/** How the limits of the groups are kept in a run. */
export type Mode = (typeof MODES)[number];

export interface Plan {
  /** Of all that is left to chance while it runs: delays, losses, clocks. */
  readonly seed: number;
  readonly mode: Mode;
  readonly coordinators: number;
  readonly resourceManagers: number;
  readonly workers: number;
  readonly config: GroupConfig;
  readonly network: NetworkFaults;
  /** How far clocks may run wrong, as a part of true time. */
  readonly driftMax: number;
  /** Lease messages go each by itself instead of in order on a stream: they may be lost, doubled and overtaken. */
  readonly datagrams: boolean;
  /** How long it takes at most from the start of a query to its first task. */
  readonly placementMaxMs: number;
  /** The operator vouches that nothing of an earlier life of the cluster can run. */
  readonly isFirstStart: boolean;
  readonly load: readonly PlannedQuery[];
  readonly faults: readonly PlannedFault[];
  /** Until then there is less to do than may run: how long queries wait is measured there. */
  readonly slackUntilMs: number;
  /** When the load ends: what is left then must come to its end. */
  readonly endMs: number;
  /** From when on nobody may starve (A3): a while after the last fault. */
  readonly calmFromMs: number;
}

/** A query that comes `atMs` and runs `durationMs` once it has started. */
export interface PlannedQuery {
  readonly atMs: number;
  /** Which coordinator it goes to: the next living one when that is down. */
  readonly place: number;
  readonly group: string;
  readonly durationMs: number;
  /** On how many workers it runs at once. */
  readonly tasks: number;
  readonly priority: number;
  readonly memoryBytes: number;
  readonly cpuMs: number;
  readonly cancelAfterMs: number | undefined;
}

/** Names a process ("c1", "m2", "w3"); or OWNER, the resource manager that owns the first root group at that moment. */
export type Target = string;
export const OWNER: Target = 'owner';
/** All other resource managers. */
export const OTHERS: Target = 'others';

export type PlannedFault = { readonly atMs: number } & (
  | {
      readonly kind: 'cut';
      readonly forMs: number;
      readonly from: readonly Target[];
      readonly to: readonly Target[];
      readonly oneWay: boolean;
    }
  /** isLoud: its connections are reset, as when a process dies; otherwise its machine is gone with it. */
  | { readonly kind: 'crash'; readonly target: Target; readonly backAfterMs: number; readonly isLoud: boolean }
  | { readonly kind: 'pause'; readonly target: Target; readonly forMs: number; readonly isSuspended: boolean }
  | { readonly kind: 'network'; readonly forMs: number; readonly faults: NetworkFaults }
  /** A restart in good order. */
  | { readonly kind: 'roll'; readonly target: Target; readonly backAfterMs: number }
  | { readonly kind: 'reload'; readonly config: GroupConfig; readonly spreadMs: number }
);

/** When nothing of a fault goes on any more. */
export function endOf(fault: PlannedFault): number {
  switch (fault.kind) {
    case 'cut':
    case 'pause':
    case 'network':
      return fault.atMs + fault.forMs;
    case 'crash':
    case 'roll':
      return fault.atMs + fault.backAfterMs;
    case 'reload':
      return fault.atMs + fault.spreadMs;
  }
}
