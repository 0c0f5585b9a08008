import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_DOTENV_VARIABLES, parseDotenv } from '../../src/model/dotenv.ts';

function valuesOf(text: string): Readonly<Record<string, string>> {
  const reading = parseDotenv(text);
  if (!reading.ok) throw new Error(`line ${reading.line}: ${reading.message}`);
  return Object.fromEntries(reading.variables.map(({ name, value }) => [name, value]));
}

function complaint(text: string): string {
  const reading = parseDotenv(text);
  return reading.ok ? 'none' : `${reading.line}: ${reading.message}`;
}

describe('a file of variables', () => {
  it.each<readonly [string, string, Readonly<Record<string, string>>]>([
    ['nothing', '', {}],
    ['empty lines and comments', '\n  # a=b\n\t\n#', {}],
    ['a bare value', 'A=b', { A: 'b' }],
    ['an empty one', 'A=\nB=', { A: '', B: '' }],
    ['one that is only a comment', 'A= # none', { A: '' }],
    ['a comment right after the sign', 'A=# none', { A: '' }],
    ['blanks around a value', '  A= \tb c \t\n', { A: 'b c' }],
    ['export', 'export A=b\nexport\tB=c', { A: 'b', B: 'c' }],
    ['a variable called export', 'export=b', { export: 'b' }],
    ['a comment behind', 'A=b # c', { A: 'b' }],
    ['a hash within', 'A=b#c', { A: 'b#c' }],
    ['signs and dollars as they are', 'A=b=$c$(d)`e`\\n\u2028', { A: 'b=$c$(d)`e`\\n\u2028' }],
    ['a quote within', `A=it's "so"`, { A: `it's "so"` }],
    ['single quotes', `A='b # "c" \\n $d ' # e`, { A: 'b # "c" \\n $d ' }],
    ['escapes', 'A="\\n\\r\\t\\"\\\\\\$ $b \'c\'"', { A: "\n\r\t\"\\$ $b 'c'" }],
    ['several lines', `A="b\nc"\nB='d\n\ne'\n`, { A: 'b\nc', B: 'd\n\ne' }],
    ['an indirection as it is', 'A=@file:///etc/passwd', { A: '@file:///etc/passwd' }],
    ['lines of DOS and a byte order mark', '\ufeffA=b\r\nB="c"\r\n', { A: 'b', B: 'c' }],
    ['dots and hyphens in names', 'a.b-c=d', { 'a.b-c': 'd' }],
    ['the last of one name', 'A=1\nB=2\nA=3', { A: '3', B: '2' }],
  ])('may hold %s', (_, text, values) => {
    expect(valuesOf(text)).toEqual(values);
  });

  it.each([
    ['no sign', 'A=b\ngeheim\n', /^2: expected NAME=VALUE/],
    ['a blank before the sign', '\n\nA =geheim', /^3: expected NAME=VALUE/],
    ['no name', '=geheim', /^1: expected NAME=VALUE/],
    ['a name that begins with a digit', '1A=geheim', /^1: expected NAME=VALUE/],
    ['an open quote', 'A=b\nB="geheim\nC=d\n', /^2: .*not closed/],
    ['an open single quote', "A='geheim", /^1: .*not closed/],
    ['words after a quote', 'A="geheim"geheim', /^1: expected the end of the line/],
    ['a comment stuck to a quote', "A='geheim'#geheim", /^1: expected the end of the line/],
    ['an unknown escape', 'A="b\nc\\q"', /^2: a backslash/],
  ])('is refused for %s, by line and without its content', (_, text, message) => {
    expect(complaint(text)).toMatch(message);
    expect(complaint(text)).not.toContain('geheim');
  });

  it('holds no more variables than an environment has', () => {
    const lines = (count: number) =>
      Array.from({ length: count }, (_, at) => `A${at}=b\n`).join('');
    expect(complaint(lines(MAX_DOTENV_VARIABLES))).toBe('none');
    expect(complaint(lines(MAX_DOTENV_VARIABLES + 1))).toMatch(/more than 1000 variables/);
  });

  it('gives back any value that was quoted', () => {
    const value = fc.string({ unit: 'binary' }).filter((text) => !/\0|\r\n/.test(text));
    const escaped = (text: string) => text.replace(/[\\"$]/g, '\\$&').replaceAll('\n', '\\n');
    fc.assert(
      fc.property(fc.array(value, { maxLength: 5 }), (values) => {
        const double = values.map((text, at) => `D${at}="${escaped(text)}" # x\n`).join('');
        const single = values.map((text, at) => `export S${at}='${text.replaceAll("'", '')}'\n`);
        const read = valuesOf(double + single.join(''));
        expect(values.map((_, at) => read[`D${at}`])).toEqual(values);
        const unquoted = values.map((text) => text.replaceAll("'", ''));
        expect(values.map((_, at) => read[`S${at}`])).toEqual(unquoted);
      }),
    );
  });

  it('is read or refused at a line that it has, whatever it is', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('A=', '"', "'", '\\', '\n', ' #', 'export '),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = pieces.join('');
        const reading = parseDotenv(text);
        if (reading.ok) return;
        expect(reading.line).toBeGreaterThan(0);
        expect(reading.line).toBeLessThanOrEqual(text.split('\n').length);
      }),
    );
  });
});
