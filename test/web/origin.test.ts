import { expect, it } from 'vitest';
import { isOurHost, isSameOrigin } from '../../src/web/server/origin.ts';

const NAMES = ['localhost', 'web-01'];

it.each([
  ['localhost', true],
  ['LOCALHOST:9001', true],
  ['web-01:9001', true],
  ['192.0.2.7:9001', true],
  ['[::1]:9001', true],
  ['[fe80::1]', true],
  ['evil.example', false],
  ['localhost.evil.example', false],
  ['127.0.0.1.evil.example', false],
  ['127.0.0.1@evil.example', false],
  ['[evil]', false],
  ['localhost:', false],
  ['', false],
  [undefined, false],
])('the host %j is ours: %s', (host, isOurs) => {
  expect(isOurHost(host, NAMES)).toBe(isOurs);
});

it.each([
  [{}, true],
  [{ fetchSite: 'same-origin' }, true],
  [{ fetchSite: 'none' }, true],
  [{ fetchSite: 'same-site' }, false],
  [{ fetchSite: 'cross-site' }, false],
  [{ origin: 'http://web-01:9001' }, true],
  [{ origin: 'http://web-01' }, false],
  [{ origin: 'http://web-01:9001', fetchSite: 'cross-site' }, false],
  [{ origin: 'null' }, false],
  [{ origin: '' }, false],
])('%j is from a page of ours: %s', (from, isOurs) => {
  const nothing = { origin: undefined, fetchSite: undefined };
  expect(isSameOrigin({ host: 'web-01:9001', ...nothing, ...from })).toBe(isOurs);
});
