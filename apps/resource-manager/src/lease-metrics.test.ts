import type { DeskCounters } from '@tutti/resource-groups';
import { createMetrics } from '@tutti/service';
import { leaseMetrics } from './lease-metrics.js';

const NOTHING: DeskCounters = {
  ...{ demands: 0, demandsIgnored: 0, grants: 0, grantsDropped: 0 },
  ...{ overclaims: 0, fenced: 0, copiesRefused: 0, writtenOff: 0 },
};

it('what the desk has counted since the last look is added up', async () => {
  const metrics = createMetrics({}, { processMetrics: false });
  const { update } = leaseMetrics(metrics);
  update({ ...NOTHING, demands: 5, demandsIgnored: 2 });
  update({ ...NOTHING, demands: 9, demandsIgnored: 2, grants: 3, grantsDropped: 4 });
  update({ ...NOTHING, demands: 9, demandsIgnored: 2, grants: 3, grantsDropped: 7, overclaims: 1, writtenOff: 6 });
  const { text } = await metrics.expose();
  const samples = text.split('\n').filter((line) => /^tutti_lease_\w+_total/.test(line) && !line.endsWith(' 0'));
  expect(samples).toEqual([
    'tutti_lease_demands_total{outcome="read"} 7',
    'tutti_lease_demands_total{outcome="ignored"} 2',
    'tutti_lease_grants_total{outcome="sent"} 3',
    'tutti_lease_grants_total{outcome="dropped"} 7',
    'tutti_lease_overclaims_total 1',
    'tutti_lease_written_off_total 6',
  ]);
});
