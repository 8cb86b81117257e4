import { readFileSync, writeFileSync } from 'node:fs';

/**
 * Replays a transcript file: blocks of `command` lines, a line `----`, and the expected output, with an empty line
 * between blocks. `run` gets each block's command text and returns the output. With REWRITE=1 in the environment the
 * file is written anew from what `run` returns; commit a changed transcript only if you can say why it changed.
 * Lines that start with # are comments of the block below them.
 *
 * Returns the expected and the actual text of the whole file, for one comparison.
 */
export function replayTranscript(path: string, run: (command: string) => string): { expected: string; actual: string } {
  const expected = readFileSync(path, 'utf8').trimEnd();
  const blocks = expected.split(/\n\n+/).map((block) => {
    const [head = ''] = block.split('\n----\n');
    const lines = head.split('\n');
    const command = lines.filter((line) => !line.startsWith('#')).join('\n');
    if (command.trim() === '') return head;
    return `${head}\n----\n${run(command).trimEnd() || '-'}`;
  });
  const actual = blocks.join('\n\n');
  if (process.env['REWRITE'] === '1') writeFileSync(path, `${actual}\n`);
  return { expected: process.env['REWRITE'] === '1' ? actual : expected, actual };
}
