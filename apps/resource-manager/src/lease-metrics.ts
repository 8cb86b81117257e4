import type { ClusterState } from './cluster-state.js';
import type { DeskCounters, DeskNote } from '@tutti/resource-groups';
import { lineageOf } from '@tutti/resource-groups';
import type { Counter, Metrics } from '@tutti/service';
import type { LeaseDeskShell } from './lease-desk-shell.js';
import type { SeatStanding } from './seat-watch.js';

/** Metrics of leases and seats that are counted where things happen. */
export interface LeaseMetrics {
  readonly seatMessages: Counter<string>;
  readonly seatMessagesDropped: Counter<string>;
  note(note: DeskNote): void;
  /** Takes over what the desk has counted since the last call. */
  update(counters: DeskCounters): void;
}

/** Declares the counters. */
export function leaseMetrics(metrics: Metrics): LeaseMetrics {
  const acquired = metrics.counter('tutti_shards_acquired', 'Shards of root groups that this one came to own', [
    'knows',
  ]);
  const lost = metrics.counter('tutti_shards_lost', 'Shards of root groups that this one owns no more', ['reason']);
  const demands = metrics.counter('tutti_lease_demands', 'Demands of coordinators for slots', ['outcome']);
  const grants = metrics.counter('tutti_lease_grants', 'Grants of slots', ['outcome']);
  const overclaims = metrics.counter('tutti_lease_overclaims', 'Demands that said more was held than was dealt');
  const fenced = metrics.counter('tutti_lease_fenced', 'Coordinators that went silent or were replaced with slots');
  const refused = metrics.counter('tutti_lease_copies_refused', 'Entries of the ledger that no other seat could keep');
  const writtenOff = metrics.counter('tutti_lease_written_off', 'Queries that are not counted any more and may run');
  let told: DeskCounters | undefined;
  return {
    seatMessages: metrics.counter('tutti_seat_messages', 'Messages between seats', ['direction']),
    seatMessagesDropped: metrics.counter('tutti_seat_messages_dropped', 'Messages that were not sent', ['reason']),
    note(note) {
      if (note.kind === 'acquired') acquired.inc({ knows: note.knows });
      if (note.kind === 'lost') lost.inc({ reason: note.reason });
    },
    update(counters) {
      const grown = (name: keyof DeskCounters) => counters[name] - (told?.[name] ?? 0);
      demands.inc({ outcome: 'read' }, grown('demands') - grown('demandsIgnored'));
      demands.inc({ outcome: 'ignored' }, grown('demandsIgnored'));
      grants.inc({ outcome: 'sent' }, grown('grants'));
      grants.inc({ outcome: 'dropped' }, grown('grantsDropped'));
      overclaims.inc(grown('overclaims'));
      fenced.inc(grown('fenced'));
      refused.inc(grown('copiesRefused'));
      writtenOff.inc(grown('writtenOff'));
      told = { ...counters };
    },
  };
}

/** Declares the gauges, which are read when they are scraped. */
export function leaseGauges(
  metrics: Metrics,
  state: ClusterState,
  shell: LeaseDeskShell,
  standing: () => SeatStanding,
): void {
  metrics.gauge('tutti_shards_owned', 'Shards of root groups that this one owns', ['phase'], (gauge) => {
    gauge.reset();
    for (const phase of ['learning', 'dealing', 'resigning']) gauge.set({ phase }, 0);
    for (const { phase } of shell.desk.owned()) gauge.inc({ phase });
  });
  metrics.gauge('tutti_seat_ready', '1 when this one votes on who owns what', [], (gauge) => {
    gauge.set(standing().votes ? 1 : 0);
  });
  metrics.gauge('tutti_seat_problems', 'What is wrong with the seats', [], (gauge) => {
    gauge.set(standing().problems.length);
  });
  metrics.gauge('tutti_lease_streams', 'Streams of coordinators', [], (gauge) => gauge.set(shell.streams.size));
  const help = 'Queries that run beyond the limit of a group, as workers count them';
  metrics.gauge('tutti_group_over_admission_slots', help, ['resource_group'], (gauge) => {
    gauge.reset();
    // Root groups that this one deals, and what is wrong.
    for (const { group } of shell.desk.groups())
      if ([...lineageOf(group)].length === 1) gauge.set({ resource_group: group }, 0);
    for (const [group, slots] of shell.desk.overAdmission()) gauge.set({ resource_group: group }, slots);
  });
}
