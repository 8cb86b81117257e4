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
    ['[^]a]', 'b', true],
    ['[]a]', ']', true],
    ['[a{]b}', '{b}', true],
    ['a{2}?b{0,2}c{1,}', 'aabc', true],
    ['(?i-s:A)(?:b)()', 'ab', true],
    ['\\Q{*++\\E+', '{*+++', true],
  ])('%j against the whole name %j: %j', (text, name, matches) => {
    const compiled = compileNamePattern(text);
    expect('ok' in compiled && compiled.ok.matches(name)).toBe(matches);
  });

  // What Java 17 says of each name.
  it.each([
    ['\\p{Alpha}+', ['ann'], ['änn', 'a1', '']],
    ['\\p{Lower}\\p{Upper}\\p{Digit}\\p{Alnum}', ['aB1x'], ['äB1x', 'ab1x']],
    ['\\p{Punct}\\p{Space}\\p{XDigit}\\p{ASCII}', ['- fz', '$\t0 '], ['- g1', '- fé']],
    ['\\p{Graph}\\p{Print}\\p{Blank}\\p{Cntrl}', ['a \t\u0001'], ['  \t\u0001']],
    ['[\\p{Alpha}_-]+', ['a_b-c'], ['a1']],
    ['[^\\p{Digit}]\\P{Digit}[\\P{Alpha}]', ['aé1'], ['1aa', 'aaa']],
    ['\\p{IsLatin}+', ['änn'], ['αβ']],
    ['\\p{IsGREEK}\\p{sc=greek}\\p{script=Greek}', ['αβγ'], ['abc']],
    ['\\p{IsAlphabetic}', ['a', 'é', 'β'], ['1', '-']],
    ['\\p{IsOld_Italic}|\\P{IsLatin}', ['β', '1'], ['b']],
    ['\\p{Lu}\\p{IsLu}\\p{gc=Lu}\\pL[\\p{L}1]', ['ÄÄÄä1'], ['ääää1']],
    ['\\0141\\060\\u0062\\x63\\x{64}', ['a0bcd'], ['\\0141']],
    ['\\0400', [' 0'], ['\u0100']],
    ['[\\0141-\\u0063]', ['b'], ['d']],
  ])('%s means what it means in Java', (text, taken, left) => {
    const pattern = patternOf(text);
    expect([...taken, ...left].filter((name) => pattern.matches(name))).toEqual(taken);
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
    ['a{2}+', /^a possessive quantifier, "\{2\}\+"/],
    ['(?=a)+[*+]\\h', /^look-around/],
    ['[*+]+\\h', /^the escape "\\h" is not supported \(RE2\)$/],
    ['a{1001}', /^a repetition of more than 1000 is not supported/],
    ['(a{100}){100}', /^a repetition of more than 1000 is not supported/],
    ['a{,3}', /^"\{,3\}" is not supported: it is no repetition such as/],
    ['a{', /^"\{" is not supported: it is no repetition/],
    ['\\h', /^the escape "\\h" is not supported \(RE2\)$/],
    ['\\v', /^the escape "\\v" is not supported/],
    ['a\\Z', /^the escape "\\Z" is not supported/],
    ['\\08', /^the escape "\\08" is not supported; write the letter itself/],
    ['\\uD83D\\uDE00', /^the escape "\\uD83D" is not supported/],
    ['(a)\\141', /^a back reference, "\\1"/],
    ['(?U)a', /^the flag "U" of \(\?U\) is not supported; flags are i, m and s$/],
    ['(?iu:a)', /^the flag "u" of \(\?iu: is not supported/],
    ['(?x) a', /^the flag "x"/],
    ['a(?i){2}', /^a repetition of flags, "\(\?i\)\{", is not supported$/],
    ['(?P<x>a)', /^a group of Python, "\(\?P", is not supported: write \(\?<name>/],
    ['[[:alpha:]]+', /^a class of POSIX, "\[:alpha:\]", is not supported: .*; write \\p\{Alpha\}/],
    ['\\p{javaLowerCase}+', /^"\\p\{javaLowerCase\}" is not supported; use a category/],
    ['\\p{^Lu}', /^"\\p\{\^Lu\}" is not supported/],
    ['\\p{isLu}', /^"\\p\{isLu\}" is not supported/],
    ['\\p{Any}', /^"\\p\{Any\}" is not supported/],
    ['\\p{Latin}', /^"\\p\{Latin\}" is not supported: Java does not know it; write \\p\{IsLatin\}$/],
    ['\\p', /^"\\p" without a name is not supported/],
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
