import { HELD_BYTES_MAX, INPUT_BYTES_MAX, SmallFiles } from './small-files.js';

const file = (name: string, sessionId = 'a') => ({ sessionId, name });

test('the content of a file goes to other sessions, and to the one that wrote it not', () => {
  const small = new SmallFiles();
  const content = new Uint8Array(10);
  small.keep(file('x'), content);
  small.keep(file('y'), undefined);
  expect(small.forSession('b')(file('x'))).toBe(content);
  expect(small.forSession('a')(file('x'))).toBeUndefined();
  expect(small.forSession('b')(file('x', 'c'))).toBeUndefined();
  expect(small.forSession('b')(file('y'))).toBeUndefined();
});

test('C2: a request brings so many bytes and no more; smaller files after one that does not fit come along', () => {
  const small = new SmallFiles();
  const sizes = { x: INPUT_BYTES_MAX - 10, y: 20, z: 10, last: 1 };
  for (const [name, bytes] of Object.entries(sizes)) small.keep(file(name), new Uint8Array(bytes));
  const contentOf = small.forSession('b');
  expect(Object.keys(sizes).map((name) => contentOf(file(name))?.length)).toEqual([sizes.x, undefined, 10, undefined]);
  expect(small.forSession('b')(file('y'))?.length).toBe(20);
});

test('C2: what came first goes first, however often a file is written', () => {
  const small = new SmallFiles();
  const quarter = HELD_BYTES_MAX / 4;
  for (const name of ['1', '2', '3', '4', '1', '1']) small.keep(file(name), new Uint8Array(quarter));
  const held = () => ['1', '2', '3', '4', '5'].filter((name) => small.forSession('b')(file(name)) !== undefined);
  expect(held()).toEqual(['1', '2', '3', '4']);
  small.keep(file('5'), new Uint8Array(quarter));
  expect(held()).toEqual(['1', '3', '4', '5']);
  small.keep(file('huge'), new Uint8Array(HELD_BYTES_MAX + 1));
  expect(held()).toEqual(['1', '3', '4', '5']);
});
