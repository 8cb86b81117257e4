import { parentPort } from 'node:worker_threads';
import { type Chunk, runSeeds } from './command/run-seeds.js';

parentPort?.on('message', (chunk: Chunk) => parentPort?.postMessage(runSeeds(chunk)));
