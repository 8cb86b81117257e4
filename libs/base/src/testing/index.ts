export { FakeClock } from './fake-clock.js';
export { replayTranscript } from './transcript.js';
