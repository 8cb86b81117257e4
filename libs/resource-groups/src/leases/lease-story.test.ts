import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { replayTranscript } from '@tutti/base/testing';
import { LeaseStory } from './testing/lease-story.js';

const testdata = join(__dirname, 'testdata');

describe('leases', () => {
  it.each(readdirSync(testdata).filter((name) => name.endsWith('.txt')))('tell %s', (name) => {
    const story = new LeaseStory();
    const { expected, actual } = replayTranscript(join(testdata, name), (commands) => story.run(commands));
    expect(actual).toBe(expected);
  });
});
