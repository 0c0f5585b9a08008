import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { environmentText, parseEnvironmentValue } from '../../src/model/environment-value.ts';

describe('the value of a variable', () => {
  it.each([
    ['plain', { kind: 'literal', text: 'plain' }],
    ['', { kind: 'literal', text: '' }],
    ['@files', { kind: 'literal', text: '@files' }],
    ['x@file:///etc/x', { kind: 'literal', text: 'x@file:///etc/x' }],
    ['@https://host', { kind: 'literal', text: '@https://host' }],
    ['@file:///run/secrets/x', { kind: 'file', path: '/run/secrets/x' }],
    ['@file://secrets/x', { kind: 'file', path: 'secrets/x' }],
    ['@base64://aMOkbGxv', { kind: 'encoded', text: 'hällo' }],
    ['@base64://', { kind: 'encoded', text: '' }],
    ['@hex://68C3a46C6c6f0A', { kind: 'encoded', text: 'hällo\n' }],
  ])('%s stands for what it says', (value, meaning) => {
    expect(parseEnvironmentValue(value)).toEqual({ ok: true, value: meaning });
  });

  it.each([
    ['@file://', /^a path/],
    ['@base64://aGVsbG8', /^base64/],
    ['@base64://aGVsbG8=\n', /^base64/],
    ['@base64://aGVs bG8=', /^base64/],
    ['@base64://_-8=', /^base64/],
    ['@base64://aGVsbG9=', /^base64/],
    ['@base64:///w==', /^UTF-8 text/],
    ['@base64://AA==', /^UTF-8 text/],
    ['@hex://4', /^pairs/],
    ['@hex://4x', /^pairs/],
    ['@hex://0x41', /^pairs/],
    ['@hex://ff', /^UTF-8 text/],
    ['@hex://00', /^UTF-8 text/],
  ])('%s is refused', (value, expected) => {
    const meaning = parseEnvironmentValue(value);
    expect(meaning.ok ? 'accepted' : meaning.expected).toMatch(expected);
  });

  it('gives back whatever text was encoded', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        fc.pre(!text.includes('\0'));
        const bytes = Buffer.from(text);
        const decoded = { ok: true, value: { kind: 'encoded', text } };
        expect(parseEnvironmentValue(`@hex://${bytes.toString('hex')}`)).toEqual(decoded);
        expect(parseEnvironmentValue(`@base64://${bytes.toString('base64')}`)).toEqual(decoded);
        expect(environmentText(bytes)).toEqual({ ok: true, value: text });
      }),
    );
  });
});
