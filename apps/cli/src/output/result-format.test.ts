import fc from 'fast-check';
import type { ResultColumn } from './column-type.js';
import { JsonTextError, splitJsonArray, splitJsonObject } from './json-text.js';
import { createResultFormat, TEXT_FORMATS, type TextFormatName } from './result-format.js';
import { COLOURS, NO_COLOURS } from './styles.js';

interface FormatOptions {
  header?: boolean;
  styles?: typeof COLOURS;
}

/** What a format prints for rows that arrive as JSON lines. */
function print(name: TextFormatName, columns: ResultColumn[], lines: string[], options: FormatOptions = {}): string {
  const format = createResultFormat(name, columns, { header: true, styles: NO_COLOURS, ...options });
  return lines.map((line) => format.row(splitJsonArray(line))).join('') + format.end();
}

const FLIGHTS = [
  { name: 'origin', type: 'VARCHAR' },
  { name: 'flights', type: 'BIGINT' },
  { name: 'delay', type: 'DOUBLE' },
];
const FLIGHT_ROWS = ['["ATL","414513",9.25]', '["ORD","9007199254740993",-0.5]', '[null,null,null]'];

describe('a plain result', () => {
  test('as a table: numbers to the right, NULL shown', () => {
    expect(print('table', FLIGHTS, FLIGHT_ROWS)).toBe(
      [
        ' origin |          flights | delay',
        '--------+------------------+-------',
        ' ATL    |           414513 |  9.25',
        ' ORD    | 9007199254740993 |  -0.5',
        ' NULL   |             NULL |  NULL',
        '',
      ].join('\n'),
    );
  });

  test('as csv: NULL is an empty field', () => {
    expect(print('csv', FLIGHTS, FLIGHT_ROWS)).toBe(
      'origin,flights,delay\nATL,414513,9.25\nORD,9007199254740993,-0.5\n,,\n',
    );
  });

  test('as json: one array, every digit of a BIGINT as a number', () => {
    expect(print('json', FLIGHTS, FLIGHT_ROWS)).toBe(
      [
        '[',
        '{"origin":"ATL","flights":414513,"delay":9.25},',
        '{"origin":"ORD","flights":9007199254740993,"delay":-0.5},',
        '{"origin":null,"flights":null,"delay":null}',
        ']',
        '',
      ].join('\n'),
    );
  });

  test('as jsonl: one object per line', () => {
    expect(print('jsonl', FLIGHTS, FLIGHT_ROWS.slice(0, 2))).toBe(
      '{"origin":"ATL","flights":414513,"delay":9.25}\n{"origin":"ORD","flights":9007199254740993,"delay":-0.5}\n',
    );
  });

  test('without a header', () => {
    expect(print('csv', FLIGHTS, FLIGHT_ROWS.slice(0, 1), { header: false })).toBe('ATL,414513,9.25\n');
    expect(print('table', FLIGHTS, FLIGHT_ROWS.slice(0, 1), { header: false })).toBe(' ATL | 414513 | 9.25\n');
  });

  test('the header and NULL are marked where there are colours, and the string NULL is not', () => {
    const columns = [{ name: 'a', type: 'VARCHAR' }];
    expect(print('table', columns, ['[null]', '["NULL"]'], { styles: COLOURS })).toBe(
      ' \x1b[1ma\x1b[22m\n------\n \x1b[2mNULL\x1b[22m\n NULL\n',
    );
  });
});

describe('an empty result', () => {
  test.each([
    ['table', ' origin | flights | delay\n--------+---------+-------\n'],
    ['csv', 'origin,flights,delay\n'],
    ['json', '[]\n'],
    ['jsonl', ''],
  ] as const)('as %s', (name, expected) => {
    expect(print(name, FLIGHTS, [])).toBe(expected);
  });
});

describe('texts', () => {
  const columns = [
    { name: 'text', type: 'VARCHAR' },
    { name: 'n', type: 'INTEGER' },
  ];
  const rows = ['["say \\"hi\\", then\\nleave",1]', '["",2]', '["日本 \\ud83d\\ude00",3]', '["\\u001b[31m\\u202e",4]'];

  test('in a table take the cells that they take on a terminal, and move no cursor', () => {
    expect(print('table', columns, rows)).toBe(
      [
        ' text                  | n',
        '-----------------------+---',
        ' say "hi", then\\nleave | 1',
        '                       | 2',
        ' 日本 😀               | 3',
        ' \\x1b[31m\\u202e        | 4',
        '',
      ].join('\n'),
    );
  });

  test('in csv are quoted when they must be, and the empty one to tell it from NULL', () => {
    expect(print('csv', columns, rows)).toBe(
      'text,n\n"say ""hi"", then\nleave",1\n"",2\n日本 😀,3\n\x1b[31m\u202e,4\n',
    );
  });

  test('in jsonl stay as the server wrote them', () => {
    expect(print('jsonl', columns, rows)).toBe(
      rows.map((row) => `{"text":${row.slice(1, -3)},"n":${row.slice(-2, -1)}}\n`).join(''),
    );
  });
});

describe('numbers', () => {
  const columns = [
    { name: 'd', type: 'DECIMAL(38,2)' },
    { name: 'h', type: 'HUGEINT' },
    { name: 'f', type: 'DOUBLE' },
    { name: 'b', type: 'BOOLEAN' },
    { name: 'v', type: 'VARCHAR' },
  ];
  const row = '["12345678901234567890.10","-170141183460469231731687303715884105728",1.0,true,"42"]';

  test('keep their digits, and texts of digits stay texts', () => {
    expect(print('jsonl', columns, [row])).toBe(
      '{"d":12345678901234567890.10,"h":-170141183460469231731687303715884105728,"f":1.0,"b":true,"v":"42"}\n',
    );
    expect(print('csv', columns, [row], { header: false })).toBe(
      '12345678901234567890.10,-170141183460469231731687303715884105728,1.0,true,42\n',
    );
  });

  test('that JSON cannot write stay strings', () => {
    const doubles = [
      { name: 'f', type: 'DOUBLE' },
      { name: 'd', type: 'DECIMAL(3,1)' },
    ];
    expect(print('jsonl', doubles, ['["NaN","Infinity"]'])).toBe('{"f":"NaN","d":"Infinity"}\n');
    expect(print('table', doubles, ['["NaN","1.5"]'])).toBe('   f |   d\n-----+-----\n NaN | 1.5\n');
  });
});

describe('nested values', () => {
  const columns = [
    { name: 'list', type: 'BIGINT[]' },
    {
      name: 'struct',
      type: "STRUCT(\"the id\" BIGINT, tags VARCHAR[], sub STRUCT(x DECIMAL(18,3)[2], y ENUM('a,(', 'b')))",
    },
    { name: 'map', type: 'MAP(VARCHAR, BIGINT)' },
    { name: 'entries', type: 'MAP(BIGINT, UBIGINT)' },
  ];
  const row =
    '[["1",null,"3"], {"the id":"7","tags":["1","a]"],"sub":{"x":["1.500","2.000"],"y":"a,("}},' +
    '{"1":"10"},[{"key":"1","value":"18446744073709551615"}]]';

  test('have their wide numbers as numbers, at every depth', () => {
    expect(JSON.parse(print('jsonl', columns, [row]))).toMatchObject({
      list: [1, null, 3],
      struct: { 'the id': 7, tags: ['1', 'a]'], sub: { x: [1.5, 2], y: 'a,(' } },
      map: { 1: 10 },
    });
    expect(print('jsonl', columns, [row])).toContain('"entries":[{"key":1,"value":18446744073709551615}]');
  });

  test('are JSON in table and csv', () => {
    const small = columns.slice(0, 1);
    expect(print('table', small, ['[["1",null]]'])).toBe(' list\n----------\n [1,null]\n');
    expect(print('csv', small, ['[["1",null]]'])).toBe('list\n"[1,null]"\n');
    expect(print('table', [{ name: 'a', type: 'VARCHAR[]' }], ['[["x\\ny"]]'])).toBe(' a\n----------\n ["x\\ny"]\n');
  });
});

test('columns of the same name get keys of their own in json', () => {
  const names = ['a', 'a', 'a_2', 'a'].map((name) => ({ name, type: 'INTEGER' }));
  expect(print('jsonl', names, ['[1,2,3,4]'])).toBe('{"a":1,"a_3":2,"a_2":3,"a_4":4}\n');
  expect(print('csv', names, ['[1,2,3,4]'])).toBe('a,a,a_2,a\n1,2,3,4\n');
});

describe('streaming', () => {
  test('all formats but the table print a row as soon as it comes', () => {
    for (const name of TEXT_FORMATS.filter((other) => other !== 'table')) {
      const format = createResultFormat(name, FLIGHTS, { header: true, styles: NO_COLOURS });
      expect(format.row(splitJsonArray('["ATL","1",1.5]'))).toContain('ATL');
    }
  });

  test('the table aligns by its first 500 rows and prints later ones at once, longer values whole (T1, T2)', () => {
    const table = createResultFormat('table', [{ name: 'n', type: 'VARCHAR' }], { header: true, styles: NO_COLOURS });
    for (let row = 1; row < 500; row += 1) expect(table.row(['"ab"'])).toBe('');
    expect(table.row(['"abc"']).split('\n')).toHaveLength(503);
    expect(table.row(['"a longer one"'])).toBe(' a longer one\n');
    expect(table.end()).toBe('');
  });

  test('the table holds back no more than a million characters (T1)', () => {
    const table = createResultFormat('table', [{ name: 'n', type: 'VARCHAR' }], { header: false, styles: NO_COLOURS });
    expect(table.row([`"${'x'.repeat(999_999)}"`])).toBe('');
    expect(table.row(['"y"'])).not.toBe('');
  });
});

describe('json text', () => {
  test('any JSON array and object comes apart into texts that mean the same', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1), (values, indent) => {
        const parts = splitJsonArray(JSON.stringify(values, null, indent));
        expect(parts.map((part) => JSON.parse(part) as unknown)).toEqual(JSON.parse(JSON.stringify(values)));
      }),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
        const parts = splitJsonObject(JSON.stringify(object));
        const decoded = parts.map(([key, value]) => [JSON.parse(key) as string, JSON.parse(value) as unknown]);
        expect(decoded).toEqual(Object.entries(JSON.parse(JSON.stringify(object)) as object));
      }),
    );
  });

  test.each(['', '1', '[', '[1', '[1,', '["a', '[1 2]', '[{"a":1]', '[,]'])('%j is refused as broken', (text) => {
    expect(() => splitJsonArray(text)).toThrow(JsonTextError);
  });

  test('a line of csv can be read back, whatever is in it', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.string()), { minLength: 2, maxLength: 4 }), (fields) => {
        const columns = fields.map((_, index) => ({ name: `c${index}`, type: 'VARCHAR' }));
        const line = print('csv', columns, [JSON.stringify(fields)], { header: false });
        expect(readCsvLine(line)).toEqual(fields);
      }),
    );
  });
});

/** Reads one line of csv as RFC 4180 has it, an empty field as null. */
function readCsvLine(line: string): (string | null)[] {
  const fields: (string | null)[] = [];
  const field = /"((?:[^"]|"")*)"[,\n]|([^",\n]*)[,\n]/y;
  while (field.lastIndex < line.length) {
    const [, quoted, plain] = field.exec(line) ?? [];
    if (quoted === undefined && plain === undefined) throw new Error(`no csv: ${line}`);
    fields.push(quoted?.replaceAll('""', '"') ?? (plain || null));
  }
  return fields;
}
