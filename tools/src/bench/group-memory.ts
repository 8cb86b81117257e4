// A program of its own, run with --expose-gc: prints how many bytes of the heap one more waiting query takes.
import { invariant } from '@tutti/base';
import { THOUSAND_GROUPS } from './group-file-maker.js';
import { GROUP_QUERIES, groupTreeLoad } from './group-speed.js';

const { gc } = globalThis;
invariant(gc !== undefined, 'node --expose-gc');

const heapBytes = (): number => {
  for (let pass = 0; pass < 3; pass++) gc();
  return process.memoryUsage().heapUsed;
};

const few = groupTreeLoad({ shape: THOUSAND_GROUPS, queued: GROUP_QUERIES.few });
few.load.fill();
const { load } = groupTreeLoad({ shape: THOUSAND_GROUPS, queued: GROUP_QUERIES.many });
const before = heapBytes();
load.fill();
const bytesPerQueuedQuery = (heapBytes() - before) / GROUP_QUERIES.many;
// Used after the measurement, so that nothing of it could be collected before.
invariant(load.events > 0 && few.load.events > 0, 'two loads that ran');
console.log(JSON.stringify({ bytesPerQueuedQuery }));
