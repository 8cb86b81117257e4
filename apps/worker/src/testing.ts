// For tests of other projects: a whole worker without its ports. Mount its routes on memoryTransport or a test server.
export { relations, settings } from './settings.js';
export { createWorker, type Worker, type WorkerOptions } from './worker.js';
