import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { replayTranscript } from '@tutti/base/testing';
import { Story } from './testing/story.js';

const testdata = join(__dirname, 'testdata');

describe('the group tree', () => {
  it.each(readdirSync(testdata).filter((name) => name.endsWith('.txt')))('tells %s', (name) => {
    const story = new Story();
    const { expected, actual } = replayTranscript(join(testdata, name), (commands) => story.run(commands));
    expect(actual).toBe(expected);
  });
});
