import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { formatProblem } from '../../src/model/desired.ts';
import { editEnabled } from '../../src/sources/edit-definition.ts';
import { parseYaml } from '../../src/sources/yaml-document.ts';

const FILE = '/etc/pm/config.d/web.yaml';
const edit = (text: string, enabled: boolean) => editEnabled(FILE, Buffer.from(text), enabled);

/** What disabling makes of a text; the problems where it is refused, null where it says so already. */
function disabled(text: string): string | null {
  const result = edit(text, false);
  if (result.kind === 'unchanged') return null;
  return result.kind === 'edited' ? result.text : result.problems.map(formatProblem).join('\n');
}

describe('the smallest edit', () => {
  test.each<[string, string, string]>([
    [
      'of a value, with everything around it',
      '# c\nglobal:\n    enabled:   true   # why\n    apply: auto\n',
      '# c\nglobal:\n    enabled:   false   # why\n    apply: auto\n',
    ],
    ['of a value without a line end', 'global:\n  enabled: true', 'global:\n  enabled: false'],
    [
      'of a value with CRLF',
      'a: 1\r\nglobal:\r\n  enabled: true\r\n',
      'a: 1\r\nglobal:\r\n  enabled: false\r\n',
    ],
    [
      'of a value after a byte order mark',
      '\uFEFFglobal:\n  enabled: true\n',
      '\uFEFFglobal:\n  enabled: false\n',
    ],
    ['of a value in capitals', 'global: {enabled: TRUE}\n', 'global: {enabled: false}\n'],
    [
      'of a tagged value',
      'global:\n  enabled: !!bool true\n',
      'global:\n  enabled: !!bool false\n',
    ],
    [
      'of a value that is an alias',
      'labels: &l { a: &t true }\nglobal:\n  enabled: *t\n',
      'labels: &l { a: &t true }\nglobal:\n  enabled: false\n',
    ],
    [
      'of an anchored value that nobody shares',
      'global:\n  enabled: &e true # c\n',
      'global:\n  enabled: &e false # c\n',
    ],
    ['of explicit keys', '? global\n: ? enabled\n  : true\n', '? global\n: ? enabled\n  : false\n'],
    [
      'of JSON',
      '{"process":{"a":1},"global":{"enabled":true}}',
      '{"process":{"a":1},"global":{"enabled":false}}',
    ],
    [
      'into a block, above its comments',
      'global: # g\n   # about apply\n   apply: auto\nb: 2\n',
      'global: # g\n   enabled: false\n   # about apply\n   apply: auto\nb: 2\n',
    ],
    [
      'into an anchored block',
      'global: &g\n  apply: auto\n',
      'global: &g\n  enabled: false\n  apply: auto\n',
    ],
    [
      'into a block of an explicit key',
      '? global\n: apply: auto\n',
      '? global\n: enabled: false\n  apply: auto\n',
    ],
    [
      'into a block with CRLF',
      'global:\r\n  apply: auto\r\n',
      'global:\r\n  enabled: false\r\n  apply: auto\r\n',
    ],
    [
      'into a flow map',
      'global: {apply: auto} # c\n',
      'global: {enabled: false, apply: auto} # c\n',
    ],
    [
      'into a spaced flow map',
      'global: { apply: auto }\n',
      'global: { enabled: false, apply: auto }\n',
    ],
    [
      'into a flow map with a comment first',
      'global: { # c\n  apply: auto }\n',
      'global: { enabled: false, # c\n  apply: auto }\n',
    ],
    ['into an empty flow map', 'global: {}\nb: 1\n', 'global: { enabled: false }\nb: 1\n'],
    ['into an empty section', 'global:\nb: 1\n', 'global:\n  enabled: false\nb: 1\n'],
    [
      'into an empty section with a comment',
      'global:   # c\n\nb: 1\n',
      'global:   # c\n  enabled: false\n\nb: 1\n',
    ],
    ['into an empty section at the very end', 'b: 1\nglobal:', 'b: 1\nglobal:\n  enabled: false'],
    ['into a null', 'global: ~ # c\nb: 1\n', 'global: { enabled: false } # c\nb: 1\n'],
    ['into a null of JSON', '{"global": null, "b": 1}', '{"global": { "enabled": false }, "b": 1}'],
    ['into nothing of a flow map', '{ global: , b: 1 }', '{ global: { enabled: false } , b: 1 }'],
    ['into a lonely key of a flow map', '{ global, b: 1 }', '{ global: { enabled: false }, b: 1 }'],
    [
      'of an alias to the same',
      'labels: &l { enabled: true }\nglobal: *l\n',
      'labels: &l { enabled: true }\nglobal: { enabled: false }\n',
    ],
    ['of a file without the section', 'b: 1\n', 'b: 1\nglobal:\n  enabled: false\n'],
    ['of a file without a last line end', 'b: 1 # c', 'b: 1 # c\nglobal:\n  enabled: false'],
    [
      'of a CRLF file without a last line end',
      'a: 1\r\nb: 1',
      'a: 1\r\nb: 1\r\nglobal:\r\n  enabled: false',
    ],
    ['of an indented file', '  b: 1\n', '  b: 1\n  global:\n    enabled: false\n'],
    [
      'of a file with a comment at its end',
      'b: 1\n# the end\n',
      'b: 1\n# the end\nglobal:\n  enabled: false\n',
    ],
    [
      'of a file that says where it ends',
      '---\nb: 1\n...\n',
      '---\nb: 1\nglobal:\n  enabled: false\n...\n',
    ],
    [
      'of a file that ends in text',
      'b: |\n  text\n  more',
      'b: |\n  text\n  more\nglobal:\n  enabled: false',
    ],
    [
      'of a file that ends in text with its blank lines',
      'b: |+\n  text\n\n',
      'b: |+\n  text\n\nglobal:\n  enabled: false\n',
    ],
    [
      'of a file that ends in the middle of blanks',
      'b: 1\n  ',
      'b: 1\n  \nglobal:\n  enabled: false',
    ],
    ['of an empty file', '', 'global:\n  enabled: false\n'],
    ['of a byte order mark alone', '\uFEFF', '\uFEFFglobal:\n  enabled: false\n'],
    ['of comments alone', '# to come\n', '# to come\nglobal:\n  enabled: false\n'],
    ['of a bare start', '---\n', '---\nglobal:\n  enabled: false\n'],
    ['of a null', '~\n', '{ global: { enabled: false } }\n'],
    ['of an empty map', '{}', '{ global: { enabled: false } }'],
    ['of JSON on one line', '{"b": 1}', '{"global": { "enabled": false }, "b": 1}'],
    ['of JSON on lines', '{\n  "b": 1\n}\n', '{\n  "global": { "enabled": false },\n  "b": 1\n}\n'],
    [
      'of JSON on CRLF lines',
      '{\r\n\t"b": 1\r\n}\r\n',
      '{\r\n\t"global": { "enabled": false },\r\n\t"b": 1\r\n}\r\n',
    ],
    [
      'of words that only look like it',
      '# global:\ndescription: "global: enabled: true"\n',
      '# global:\ndescription: "global: enabled: true"\nglobal:\n  enabled: false\n',
    ],
    [
      'of quoted keys in a block',
      '"global":\n  \'enabled\': true\n',
      '"global":\n  \'enabled\': false\n',
    ],
  ])('%s', (_, before, after) => {
    expect(disabled(before)).toBe(after);
  });

  test('is none where the file says so already, or by default', () => {
    expect(edit('global:\n  enabled: false # off\n', false)).toEqual({ kind: 'unchanged' });
    expect(edit('global:\n  enabled: true\n', true)).toEqual({ kind: 'unchanged' });
    expect(edit('a: 1\n', true)).toEqual({ kind: 'unchanged' });
    expect(edit('', true)).toEqual({ kind: 'unchanged' });
  });

  test('is undone by its opposite, byte for byte, where the key was there', () => {
    const text = 'a: 1\r\nglobal: {enabled: true , apply: auto} # c\r\n';
    const there = disabled(text) ?? '';
    expect(edit(there, true)).toEqual({ kind: 'edited', text });
  });
});

describe('what is refused', () => {
  test.each<[string, string, string]>([
    ['a broken file', 'a: [1\nb: 2\n', `${FILE}:2:1: `],
    ['a key given twice', 'global:\n  enabled: true\nglobal:\n  x: 1\n', `${FILE}:3:1: `],
    ['two documents', 'a: 1\n---\nb: 1\n', `${FILE}:2:1: `],
    ['tabs', 'global:\n\tenabled: true\n', `${FILE}:2:1: `],
    ['no text', 'a: \0\n', `${FILE}:1:4: expected text`],
    [
      'a value that others share',
      'global:\n  enabled: &e true\nlabels:\n  a: *e\n',
      `${FILE}:2:15: global.enabled: cannot be set to false`,
    ],
    [
      'a section that others share',
      'global: &g {enabled: true}\nlabels: *g\n',
      `${FILE}:1:22: global.enabled: cannot be set to false`,
    ],
    [
      'a section that is taken from elsewhere with more in it',
      'labels: &l { a: b }\nglobal: *l\n',
      `${FILE}:2:1: global.enabled: cannot be set to false`,
    ],
    ['a list', '- a\n', `${FILE}:1:1: global.enabled: cannot be set`],
    ['a word', 'hello\n', `${FILE}:1:1: global.enabled: cannot be set`],
    ['a section that is a list', 'global: [a]\n', `${FILE}:1:1: global.enabled: cannot be set`],
  ])('%s', (_, text, said) => {
    expect(edit(text, false).kind).toBe('refused');
    expect(disabled(text)).toContain(said);
  });

  test('also bytes that are no text', () => {
    expect(editEnabled(FILE, Buffer.from([0x61, 0xff]), false).kind).toBe('refused');
    expect(editEnabled(FILE, Buffer.alloc(2_000_000, 'a'), false).kind).toBe('refused');
  });
});

const key = fc.constantFrom('a', 'b', 'application', 'process', 'a b', '1', 'true', '#', 'ü');
const scalar = fc.oneof(
  fc.string({ maxLength: 12 }).filter((text) => !text.includes('\0')),
  fc.constantFrom('true', '~', '- x', 'a: b', '# c', ' lead', 'two\nlines\n', 'kept\n\n\n', ''),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const value = fc.letrec<{ readonly node: unknown }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('node'), { maxLength: 3 }),
    fc.dictionary(key, tie('node'), { maxKeys: 3 }),
  ),
})).node;
const global = fc.oneof(
  fc.constant({}),
  fc.constant({ global: null }),
  fc.record({
    global: fc.oneof(
      fc.dictionary(key, value, { maxKeys: 2 }),
      fc
        .tuple(fc.boolean(), fc.dictionary(key, value, { maxKeys: 2 }))
        .map(([enabled, rest]) => ({ ...rest, enabled })),
    ),
  }),
);
const content = fc
  .tuple(fc.dictionary(key, value, { maxKeys: 4 }), global, fc.boolean())
  .map(([rest, section, first]) => (first ? { ...section, ...rest } : { ...rest, ...section }));
const style = fc.record({
  indent: fc.constantFrom(2, 4, 7),
  flow: fc.constantFrom(undefined, 'block', 'flow'),
  quotes: fc.constantFrom('PLAIN', 'QUOTE_DOUBLE', 'QUOTE_SINGLE'),
  comments: fc.boolean(),
  crlf: fc.boolean(),
  mark: fc.boolean(),
  cut: fc.boolean(),
  json: fc.boolean(),
});

type Style = (typeof style extends fc.Arbitrary<infer S> ? S : never) & object;

/** A definition as somebody might write it. */
function written(document: object, how: Style): string {
  const yaml = how.json
    ? JSON.stringify(document, null, how.flow === 'flow' ? 0 : how.indent)
    : stringify(document, {
        indent: how.indent,
        collectionStyle: how.flow ?? 'any',
        defaultStringType: how.quotes as 'PLAIN',
        defaultKeyType: 'PLAIN',
      });
  const commented = how.comments ? `# first\n${yaml.trimEnd()}\n# last\n` : yaml;
  const ended = how.cut ? commented.replace(/\n$/, '') : commented;
  const lines = how.crlf ? ended.replaceAll('\n', '\r\n') : ended;
  return how.mark ? `\uFEFF${lines}` : lines;
}

test('whatever the definition, an edit changes that key and nothing else', () => {
  let edits = 0;
  let refusals = 0;
  fc.assert(
    fc.property(content, style, fc.boolean(), (document, how, enabled) => {
      const text = written(document, how as Style);
      const before = parseYaml(FILE, Buffer.from(text));
      fc.pre(before.problems.length === 0);
      const result = edit(text, enabled);
      if (result.kind !== 'edited') {
        if (result.kind === 'refused') refusals += 1;
        return;
      }
      edits += 1;
      const plain = (raw: unknown) => JSON.parse(JSON.stringify(raw ?? {}));
      const [was, is] = [before, parseYaml(FILE, Buffer.from(result.text))].map(({ raw }) =>
        plain(raw),
      );
      expect(is.global.enabled.value).toBe(enabled);
      expect({ ...is, global: { ...is.global, enabled: null } }).toEqual({
        ...was,
        global: { ...was.global, enabled: null },
      });
      // One splice: what is before and behind it is as it was.
      const grown = result.text.length - text.length;
      expect(grown).toBeLessThanOrEqual(40);
      const common = commonPrefix(text, result.text) + commonSuffix(text, result.text);
      expect(common).toBeGreaterThanOrEqual(Math.min(text.length, result.text.length) - 5);
      expect(edit(result.text, enabled)).toEqual({ kind: 'unchanged' });
    }),
    { numRuns: 2_000 },
  );
  expect(edits).toBeGreaterThan(200);
  // Only what is truly odd may be left to people.
  expect(refusals / (edits + refusals)).toBeLessThan(0.02);
});

function commonPrefix(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}

function commonSuffix(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one.at(-1 - length) === other.at(-1 - length)) length += 1;
  return length;
}
