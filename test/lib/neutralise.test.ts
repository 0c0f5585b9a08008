import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { neutralise, neutraliseName } from '../../src/lib/neutralise.ts';

const ESC = '\x1b';
const SGR = new RegExp(`${ESC}\\[[0-9;:]*m`, 'g');

const HOSTILE: readonly (readonly [what: string, text: string, shown: string])[] = [
  ['a window title', '\x1b]0;pwned\x07', '␛]0;pwned␇'],
  ['a hyperlink', '\x1b]8;;http://x\x1b\\click\x1b]8;;\x1b\\', '␛]8;;http://x␛\\click␛]8;;␛\\'],
  ['a clipboard write', '\x1b]52;c;cm0=\x07', '␛]52;c;cm0=␇'],
  ['cursor movement and erasing', 'a\x1b[2K\x1b[1Ab', 'a␛[2K␛[1Ab'],
  ['a device status request', '\x1b[6n', '␛[6n'],
  ['a terminal reset', '\x1bc', '␛c'],
  ['a charset switch', '\x1b(0\x0e', '␛(0␎'],
  ['a private mode', '\x1b[?1049h', '␛[?1049h'],
  ['a device control string', '\x1bP$q"p\x1b\\', '␛P$q"p␛\\'],
  ['an overwritten line', 'rm -rf /\rls', 'rm -rf /␍ls'],
  ['backspaces, bell, NUL and DEL', 'a\b\x07\0\x7f', 'a␈␇␀␡'],
  ['an 8-bit CSI and OSC', '\x9b2J\x9d0;x\x9c', '<U+009B>2J<U+009D>0;x<U+009C>'],
  ['a right-to-left override', 'user\u202etxt.exe', 'user<U+202E>txt.exe'],
  ['bidi isolates and marks', '\u2066a\u2069\u200f', '<U+2066>a<U+2069><U+200F>'],
  ['a line separator', 'a\u2028b', 'a<U+2028>b'],
  ['invisible characters', 'pay\u200bpal\ufeff\u00ad', 'pay<U+200B>pal<U+FEFF><U+00AD>'],
  ['invisible tags', '\u{e0041}', '<U+E0041>'],
  ['a lone surrogate', 'a\ud800b', 'a\ufffdb'],
  ['concealed text', '\x1b[8mhidden', '␛[8mhidden'],
  ['concealed text behind a colour', '\x1b[38;5;1;8mhidden', '␛[38;5;1;8mhidden'],
  ['an unfinished SGR', '\x1b[31', '␛[31'],
  ['a huge SGR', `\x1b[${'1;'.repeat(40)}m`, `␛[${'1;'.repeat(40)}m`],
  ['an SGR with a private marker', '\x1b[>4;2m', '␛[>4;2m'],
];

describe('neutralise', () => {
  it.each(HOSTILE)('shows %s instead of obeying it', (_what, text, shown) => {
    expect(neutralise(text)).toBe(shown);
  });

  it('leaves ordinary text of any script alone', () => {
    const text = 'caf\u00e9\t日本語 👩\u200d💻 \u0645\u0631\u062d\u0628\u0627\n';
    expect(neutralise(text)).toBe(text);
  });

  it('lets colours pass and ends them where the text ends', () => {
    expect(neutralise('\x1b[1;38;5;8mgrey')).toBe('\x1b[1;38;5;8mgrey\x1b[0m');
  });

  it('takes colours out where none are wanted', () => {
    expect(neutralise('\x1b[31mred\x1b[0m \x1b[2J', { colours: false })).toBe('red ␛[2J');
  });

  it('leaves no control but newline, tab and colours in any text', () => {
    const hostile = fc.string({ unit: fc.constantFrom(...'\x1b[]m;0138\x9b\x07\r\u202eab\n\t') });
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string({ unit: 'binary' })), (text) => {
        const withoutColours = neutralise(text).replaceAll(SGR, '');
        for (const shown of [withoutColours, neutralise(text, { colours: false })]) {
          expect(shown.replaceAll(/[\n\t]/g, '')).not.toMatch(/\p{Cc}|\p{Bidi_Control}/u);
        }
      }),
    );
  });
});

it('a name stays on its line and has no colours', () => {
  expect(neutraliseName('a\tb\nc\x1b[31m\u202e.yaml')).toBe('a␉b␊c␛[31m<U+202E>.yaml');
  expect(neutraliseName('größe ✓.yaml')).toBe('größe ✓.yaml');
});
