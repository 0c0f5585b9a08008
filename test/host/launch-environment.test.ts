import { expect, test } from 'vitest';
import { splitEnvironment } from '../../src/host/launch-environment.ts';

const inheritedOf = (name: string, value = 'v') =>
  Object.hasOwn(splitEnvironment({ [name]: value }).inherited, name);

test.each(['PATH', 'HOME', 'LANG', '_X', 'a1', 'http_proxy', 'HOSTNAME', 'TZ'])(
  'lets a shell carry %s',
  (name) => {
    expect(inheritedOf(name)).toBe(true);
    expect(splitEnvironment({ [name]: 'v' }).carriers).toEqual([]);
  },
);

test.each([
  'a.b',
  'X-Y',
  '1A',
  'ä',
  'PWD',
  'OLDPWD',
  'SHLVL',
  '_',
  'IFS',
  'OPTIND',
  'ENV',
  'UID',
  '__pm_key',
])('does not trust a shell with %s', (name) => {
  expect(inheritedOf(name)).toBe(false);
  expect(splitEnvironment({ [name]: 'a=b c', HOME: '/' })).toEqual({
    inherited: { HOME: '/', __pm_0: `${name}=a=b c` },
    carriers: ['__pm_0'],
  });
});

test.each([
  'LD_PRELOAD',
  'LD_LIBRARY_PATH',
  'BASH_ENV',
  'BASH_FUNC_x',
  'GCONV_PATH',
  'GLIBC_TUNABLES',
  'TMPDIR',
])('keeps %s from the part of the launch that is root', (name) => {
  expect(inheritedOf(name)).toBe(false);
});

test('keeps a locale from that part that is the path of a folder', () => {
  expect(inheritedOf('LC_ALL', 'C.UTF-8')).toBe(true);
  expect(inheritedOf('LC_ALL', '/home/x/locale')).toBe(false);
  expect(inheritedOf('LANG', './locale')).toBe(false);
});
