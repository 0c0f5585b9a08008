import { expect, test } from 'vitest';
import { select } from '../../src/api/select.ts';
import { status } from './api-rig.ts';

const statuses = ['db', 'web', 'web-2', 'worker'].map((name) => status(name));

const names = (...words: string[]) =>
  select(statuses, words).map(({ status: { name }, byName }) => (byName ? `${name}!` : name));

test.for([
  [['web'], ['web!']],
  [
    ['worker', 'db', 'worker'],
    ['db!', 'worker!'],
  ],
  [['all'], ['db', 'web', 'web-2', 'worker']],
  [['web*'], ['web', 'web-2']],
  [
    ['w*', 'web'],
    ['web!', 'web-2', 'worker'],
  ],
  [
    ['all', 'db'],
    ['db!', 'web', 'web-2', 'worker'],
  ],
] as const)('%j means %j', ([words, meant]) => {
  expect(names(...words)).toEqual(meant);
});

test('an unknown name is an error that names up to three near ones', () => {
  expect(() => names('web', 'wbe')).toThrow(
    expect.objectContaining({
      code: 'not_found',
      message: "cannot find service 'wbe': no definition has that name (did you mean 'web'?)",
    }),
  );
  const many = ['web1', 'web2', 'web3', 'web4'].map((name) => status(name));
  expect(() => select(many, ['web5'])).toThrow("(did you mean 'web1', 'web2', 'web3'?)");
  expect(() => names('postgresql')).toThrow(/no definition has that name$/);
});

test('a pattern that matches nothing is an error, all of nothing is not', () => {
  expect(() => names('x*')).toThrow(
    expect.objectContaining({
      code: 'not_found',
      message: "cannot find services 'x*': no service's name matches",
    }),
  );
  expect(select([], ['all'])).toEqual([]);
});
