/** Texts that try to keep a YAML parser busy, by what they are made of; each of about `bytes`. */
export function hostileTexts(bytes: number): ReadonlyMap<string, string> {
  const repeated = PIECES.map(
    (piece) => [JSON.stringify(piece), piece.repeat(bytes / piece.length)] as const,
  );
  const counted = Object.entries(COUNTED).map(
    ([name, { each, join, before, after }]) =>
      [name, before + numbered(bytes, each, join) + after] as const,
  );
  const steps = Math.floor(Math.sqrt(2 * bytes)) - 3;
  const stairs = Array.from({ length: steps }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n');
  return new Map([
    ...repeated,
    ...counted,
    ['closed brackets', '['.repeat(bytes / 2) + ']'.repeat(bytes / 2)],
    ['ever deeper keys', stairs],
    ['a long key', `${'x'.repeat(bytes)}: 1`],
    ['a large anchor, often', `a: &a [${'1,'.repeat(bytes / 4)}]\nb: [${'*a,'.repeat(31)}]`],
    ['an alias of an alias', aliasBomb(bytes)],
  ]);
}

const PIECES: readonly string[] = [
  ...['[', '{', '{a: ', '- ', '? ', '?\n', '-\n', '- a\n', ':\n', ': ', '*\t', '[? ', '[: '],
  ...['k: 1\n', '\n', ' \n', '#\n', '|\n', '`\n', '@ ', '& ', '&a ', '* ', '! ', '!a [', '&a ['],
  ...['---\n', '...\n', '%YAML 1.2\n', '%TAG ! x\n', ']', '}\n', '[]', '{} ', '- []\n', '[\n'],
  ...['- {a: b}\n', 'a: [\n', 'a:\n   b:\n  c:\n', ' a:\n', '\ta:\n', '<<: *a\n', '"" ', '""\n'],
  ...['"a": ', '? a\n: b\n', '\r', 'a\r\n', '\ufeff', '😀', '\u00a0', 'x #\n', 'a: |9\n', '-\t'],
];

interface Counted {
  readonly before: string;
  readonly each: (index: number) => string;
  readonly join: string;
  readonly after: string;
}

const COUNTED: Readonly<Record<string, Counted>> = {
  'unknown keys': { before: '', each: (i) => `k${i}: 1`, join: '\n', after: '' },
  'keys that nearly are one': {
    before: 'process:\n',
    each: (i) => `  stop_grace_period_ms${i}: "5 s"`,
    join: '\n',
    after: '',
  },
  labels: { before: 'labels:\n', each: (i) => `  k${i}: v`, join: '\n', after: '' },
  variables: {
    before: 'process:\n  environment:\n',
    each: (i) => `  - name: k${i}\n    valu: v`,
    join: '\n',
    after: '',
  },
  'limits that do not exist': {
    before: 'process:\n  limits: {',
    each: (i) => `k${i}: 1`,
    join: ',',
    after: '}',
  },
  'lists where words belong': {
    before: 'process:\n  start_command: [',
    each: () => '[]',
    join: ',',
    after: ']',
  },
  'anchors and their aliases': {
    before: 'x: [',
    each: (i) => `&a${i} 1, *a${i}`,
    join: ',',
    after: ']',
  },
  'escapes that do not exist': { before: 'a: "', each: () => '\\q', join: '', after: '"' },
  'escapes cut short': { before: 'a: "', each: () => '\\x2', join: '', after: '"' },
  'a folded text': { before: 'a: >\n', each: () => '  x\n y', join: '\n', after: '' },
  'a quoted text': { before: 'a: "', each: () => 'x\n ', join: '', after: '"' },
  'numbers in a list': { before: '[', each: () => '1e5', join: ',', after: ']' },
  'local tags': { before: '[', each: () => '!a b', join: ',', after: ']' },
  'tags that do not fit': { before: '[', each: () => '!!int b', join: ',', after: ']' },
};

function numbered(bytes: number, each: (index: number) => string, join: string): string {
  const length = Math.ceil(bytes / (each(1_000).length + join.length));
  return Array.from({ length }, (_, index) => each(index)).join(join);
}

function aliasBomb(bytes: number): string {
  const levels = Math.floor(bytes / 40);
  const lines = Array.from(
    { length: levels },
    (_, level) => `a${level + 1}: &a${level + 1} [*a${level},*a${level},*a${level}]`,
  );
  return ['a0: &a0 x', ...lines].join('\n');
}
