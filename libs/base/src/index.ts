export { type Clock, type Instant, instant, sleep, systemClock } from './clock.js';
export {
  type NodeId,
  type QueryId,
  type TaskId,
  newQueryIdSuffix,
  nodeId,
  queryId,
  QueryIdGenerator,
  queryIdSuffixOf,
  taskId,
} from './ids.js';
export { invariant, InvariantError, unreachable } from './invariant.js';
export { editDistance, nearestName } from './nearest-name.js';
export { formatDuration, formatSize, parseDurationMs, parseSizeBytes } from './quantity.js';
export { jittered, type Random, randomInt, seededRandom } from './random.js';
export { untilTick } from './ticks.js';
