import { compileNamePattern, type NamePattern } from './name-pattern.js';

function patternOf(text: string): NamePattern {
  const compiled = compileNamePattern(text);
  if ('problem' in compiled) throw new Error(compiled.problem);
  return compiled.ok;
}

describe('a regular expression', () => {
  it.each([
    ['user.*', 'userA', true],
    ['user.*', 'A.user', false],
    ['.*source.*', 'a source b', true],
    ['(?i)Airflow', 'AIRFLOW', true],
    ['a|b', 'b', true],
    ['a|b', 'ab', false],
    ['', '', true],
    ['.*', '', true],
    ['a.b', 'a\nb', false],
    ['(?s)a.b', 'a\nb', true],
    ['\\Qa.b\\E', 'a.b', true],
    ['scheduler\\.[a-z]+\\d{2,3}', 'scheduler.etl07', true],
    ['[^\\[]*', 'no bracket', true],
    ['[][a]+', 'a]', false],
  ])('%j against the whole name %j: %j', (text, name, matches) => {
    const compiled = compileNamePattern(text);
    expect('ok' in compiled && compiled.ok.matches(name)).toBe(matches);
  });

  it('gives what its named groups took, and leaves out a group that took no part', () => {
    const pattern = patternOf('(?<team>[a-z]+)(-(?<job>[0-9]+))?');
    expect(pattern.groupNames).toEqual(['team', 'job']);
    expect([...pattern.groups('etl-7')]).toEqual([
      ['team', 'etl'],
      ['job', '7'],
    ]);
    expect([...pattern.groups('etl')]).toEqual([['team', 'etl']]);
    expect([...pattern.groups('7')]).toEqual([]);
  });

  it('gives its groups what Java gives them: the first takes as much as it can', () => {
    const pattern = patternOf('scheduler.(?<region>(.*)).(?<cluster>[0-9]*)');
    expect(Object.fromEntries(pattern.groups('scheduler.us_east.12'))).toEqual({ region: 'us_east.1', cluster: '' });
  });

  it.each([
    ['(', /^no regular expression: .*missing closing \)/],
    ['a(?=b)', /^look-around, "\(\?=", is not supported: it cannot be matched in linear time \(RE2\)$/],
    ['(?<!a)b', /^look-around, "\(\?<!"/],
    ['(a)\\1', /^a back reference, "\\1"/],
    ['(?<x>a)\\k<x>', /^a back reference, "\\k<"/],
    ['a++', /^a possessive quantifier, "\+\+"/],
    ['(?>a+)b', /^an atomic group/],
    ['[a-z&&[^x]]', /^a set inside a set/],
    ['[a[bc]]', /^a set inside a set/],
    ['(?<a_b>x)', /^the name of a group is letters and digits and begins with a letter, was "a_b"$/],
    ['a{1001}', /^no regular expression: .*invalid repeat count/],
    ['\\h', /^no regular expression: .*invalid escape sequence/],
  ])('%j is refused, and told why', (text, problem) => {
    const compiled = compileNamePattern(text);
    expect('problem' in compiled ? compiled.problem : 'accepted').toMatch(problem);
  });

  it.each(['(a+)+$', '(a|aa)+', '(a|a)*', '(.*)*x', '(?i)(a|A)+!', '([a-zA-Z]+)*b', '(a?){50}a{50}'])(
    'takes linear time: %s',
    (text) => {
      const pattern = patternOf(text);
      const measured = (length: number): number => {
        const started = performance.now();
        pattern.matches(`${'a'.repeat(length)}?`);
        return performance.now() - started;
      };
      measured(1_000);
      // Backtracking would need 2^10000 steps. The bound is for a busy machine.
      expect(measured(10_000)).toBeLessThan(5_000);
    },
  );
});
