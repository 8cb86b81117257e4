import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { replayTranscript } from '@tutti/base/testing';
import { DeskStory } from './testing/desk-story.js';

const testdata = join(__dirname, 'testdata', 'desk');

describe('desks', () => {
  it.each(readdirSync(testdata).filter((name) => name.endsWith('.txt')))('tell %s', (name) => {
    const story = new DeskStory();
    const { expected, actual } = replayTranscript(join(testdata, name), (commands) => story.run(commands));
    expect(actual).toBe(expected);
  });
});
