import type { Outcome } from '../rpc/contract.ts';
import { oneLine } from './text.ts';

/** One line for each service that is as it was asked to be. */
export function renderDone(outcomes: readonly Outcome[]): string {
  return outcomes
    .filter(({ ok }) => ok)
    .map(({ name, message }) => `${name}: ${oneLine(message)}\n`)
    .join('');
}

/** One line for each that is not, for stderr, and where to look further. */
export function renderNotDone(verb: string, outcomes: readonly Outcome[]): string {
  const failed = outcomes.filter(({ ok }) => !ok);
  const lines = failed.map(
    ({ name, message }) => `pmctl: cannot ${verb} '${name}': ${oneLine(message)}\n`,
  );
  const names = failed.slice(0, 3).map(({ name }) => name);
  return names.length === 0 ? '' : `${lines.join('')}  see: pmctl status ${names.join(' ')}\n`;
}

/** 1 when anything failed, else 7 when anything timed out, else 0. */
export function exitCodeOfOutcomes(outcomes: readonly Outcome[]): number {
  const notDone = outcomes.filter(({ ok }) => !ok);
  if (notDone.length === 0) return 0;
  return notDone.every(({ outcome }) => outcome === 'timeout') ? 7 : 1;
}
