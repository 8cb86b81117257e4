// A process that passes many bytes on has them in buffers, which V8 collects when they have grown by 64 MB: a hundred
// megabytes for one result. Forced collections cost less than a marker of weight that has V8 collect all the time.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const MB = 1024 * 1024;

/** So many bytes passed: those that were let go of are collected. */
const PASSED_BYTES = 8 * MB;

/**
 * V8 counts buffers as if they were old objects: with a small heap it would mark all of it several times in a second. With this it
 * does so when the heap and the buffers are three times what the last collection left, which it allows larger heaps anyway.
 */
const GROWING_PERCENT = 200;

/** So many more bytes in buffers than the last full collection left: some grew old before they were let go of. */
const OLD_BYTES = 24 * MB;

export interface BufferCollector {
  minor(): void;
  full(): void;
  /** Bytes in buffers, dead ones with them. */
  heldBytes(): number;
}

/**
 * Returns what is to be told of the bytes that have been passed on. A process that passes little on never collects early; where
 * much is held for good, by many clients that read slowly, it does not try again until as much has been added.
 */
export function collectBuffersEarly(collector: BufferCollector = ofV8()): (passedBytes: number) => void {
  let passed = 0;
  let leftBytes = 0;
  return (bytes) => {
    passed += bytes;
    if (passed < PASSED_BYTES) return;
    passed = 0;
    collector.minor();
    leftBytes = Math.min(leftBytes, collector.heldBytes());
    if (collector.heldBytes() < leftBytes + OLD_BYTES) return;
    collector.full();
    leftBytes = collector.heldBytes();
  };
}

function ofV8(): BufferCollector {
  setFlagsFromString('--expose-gc');
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`);
  const collect = runInNewContext('gc') as (options?: { type: 'minor' | 'major' }) => void;
  return {
    minor: () => collect({ type: 'minor' }),
    full: () => collect(),
    heldBytes: () => process.memoryUsage().arrayBuffers,
  };
}
