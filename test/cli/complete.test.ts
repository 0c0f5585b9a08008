import { expect, it } from 'vitest';
import { SHOWN_COMMANDS } from '../../src/cli/commands.ts';
import { wantedAt } from '../../src/cli/complete.ts';

function words(...line: string[]): readonly string[] {
  const wanted = wantedAt(line, SHOWN_COMMANDS);
  return wanted.kind === 'words' ? wanted.candidates.map(({ text }) => text) : [wanted.kind];
}

it('the first word is a command, none of them hidden', () => {
  const first = wantedAt([''], SHOWN_COMMANDS);
  expect(words('')).toContain('restart');
  expect(words('')).not.toContain('__complete');
  expect(words('--format', 'json', '')).toContain('status');
  expect(first.kind === 'words' && first.candidates.every(({ about }) => about !== '')).toBe(true);
});

it('a dash begins an option: of the command and of all', () => {
  expect(words('start', '--')).toEqual(expect.arrayContaining(['--force', '--sock', '--format']));
  expect(words('--')).toEqual(['--sock', '--format', '--output', '--help']);
});

it('an option that takes one of some words gets those', () => {
  expect(words('status', '--format', '')).toEqual(['text', 'json']);
  expect(words('status', '-o', 'j')).toEqual(['text', 'json']);
  expect(words('wait', 'web', '--for', '')).toEqual(['running', 'stopped']);
  expect(words('start', '--timeout', '')).toEqual([]);
  expect(words('--sock', '')).toEqual(['files']);
});

it.each([
  ['start', 'services'],
  ['why', 'services'],
  ['logs', 'services'],
  ['run', 'jobs'],
  ['history', 'jobs'],
  ['validate', 'files'],
  ['diff', 'files'],
])('%s takes %s', (command, kind) => {
  expect(words(command, '')).toEqual([kind]);
});

it('operands that are words are completed as such', () => {
  expect(words('daemon', '')).toEqual(['status', 'restart']);
  expect(words('completion', '')).toEqual(['bash', 'zsh', 'fish']);
  expect(words('help', 'st')).toContain('start');
});
