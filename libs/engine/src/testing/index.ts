export { type TestFiles, writeTestFiles } from './files.js';
export { plannerProgram, executorProgram } from './programs.js';
export { planOrThrow, readAll } from './results.js';
export { WatchedLog } from './watched-log.js';
