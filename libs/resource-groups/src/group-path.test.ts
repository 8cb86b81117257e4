import { childPath, groupPath, lineageOf, parentPath } from './group-path.js';

describe('the path of a group', () => {
  it('keeps a name with dots or quotation marks one name', () => {
    expect(groupPath(['global', 'user', 'alice.smith'])).toBe('global.user."alice.smith"');
    expect(childPath('global', 'say "hi"')).toBe('global."say ""hi"""');
  });

  it.each([
    [['global']],
    [['global', 'alice.smith']],
    [['a.b', 'c']],
    [['a', '"', 'c']],
    [['"".', '".".""']],
    [['x', '.', '""', 'y.']],
  ])('leads from %j back to the root', (names) => {
    const above = names.map((_, index) => groupPath(names.slice(0, names.length - index)));
    expect([...lineageOf(groupPath(names))]).toEqual(above);
    expect(parentPath(groupPath(names.slice(0, 1)))).toBeUndefined();
  });
});
