import { describe, expect, it } from 'vitest';
import { maskedPart, maskedValue, shortenPair, unseenPair } from '../../src/model/shown-value.ts';

describe('a value as it is shown', () => {
  it.each(['DB_PASSWORD', 'passwd', 'ApiToken', 'SECRET', 'AWS_KEY', 'my_credentials', 'AUTH_URL'])(
    'is a secret when its name is %s',
    (name) => expect(maskedValue(name, 'x')).toBe('***'),
  );

  it.each(['TZ', 'PATH', 'HOME', 'LANG'])('is none when its name is %s', (name) => {
    expect(maskedValue(name, 'x')).toBe('x');
  });

  it('is JSON as far as it is shown', () => {
    expect(maskedPart('API_KEY', 'x')).toBe('***');
    expect(maskedPart('API_KEY', '@file://key')).toBe('"@file://key"');
    expect(maskedPart('BLOB', '@hex://6162')).toBe('"@hex://***"');
    expect(maskedPart('LANG', 'C')).toBe('"C"');
  });

  it('is not shown at all where only that it changed is known', () => {
    expect(unseenPair()).toEqual({ before: '***', after: '***' });
  });

  it('is whole as long as people read it', () => {
    const pair = { before: 'a'.repeat(120), after: null };
    expect(shortenPair(pair)).toEqual(pair);
  });

  it('is cut to where two long ones begin to differ', () => {
    const same = 'x'.repeat(200);
    expect(shortenPair({ before: `${same}1`, after: `${same}2${'y'.repeat(200)}` })).toEqual({
      before: `…${'x'.repeat(20)}1 (201 characters)`,
      after: `…${'x'.repeat(20)}2${'y'.repeat(99)}… (401 characters)`,
    });
    expect(shortenPair({ before: null, after: 'z'.repeat(121) })).toEqual({
      before: null,
      after: `${'z'.repeat(120)}… (121 characters)`,
    });
  });

  it.each([
    ['DB_PASSWORD', 'hunter2', '***'],
    ['SESSION_SECRET', '@file:///etc/secret', '@file:///etc/secret'],
    ['PASSWORD', '', ''],
    ['LANG', 'C.UTF-8', 'C.UTF-8'],
    ['DATABASE_URL', 'postgres://ann:hunter2@db:5432/x', 'postgres://ann:***@db:5432/x'],
    ['CACHE', 'redis://:hunter2@cache/0 redis://b:c@d', 'redis://:***@cache/0 redis://b:***@d'],
    ['HOME_PAGE', 'https://example.org:8080/a@b', 'https://example.org:8080/a@b'],
    ['BLOB', '@base64://c2VjcmV0', '@base64://***'],
    ['BLOB', '@hex://6162', '@hex://***'],
    ['CONFIG', '@file:///etc/config', '@file:///etc/config'],
  ])('of the variable %s, %s, is %s', (name, value, shown) => {
    expect(maskedValue(name, value)).toBe(shown);
  });
});
