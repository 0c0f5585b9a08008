import type { Command } from '../command.ts';
import { type Candidate, wantedAt } from '../complete.ts';
import { type Invocation, type Output, printed, type Run } from '../invocation.ts';
import { oneLine } from '../text.ts';

/** A daemon that is slow or away must not hold up somebody who types. */
const PATIENCE_MS = 1_000;

/** For the scripts of `pmctl completion`: what may stand where the last word stands. */
export function completing(commands: readonly Command[]): { readonly run: Run } {
  return { run: (invocation) => complete(commands, invocation) };
}

async function complete(
  commands: readonly Command[],
  { operands, call }: Invocation,
): Promise<Output> {
  const wanted = wantedAt(operands, commands);
  if (wanted.kind === 'files') return printed('');
  const candidates = wanted.kind === 'words' ? wanted.candidates : await namesOf(wanted.kind, call);
  const begun = operands.at(-1) ?? '';
  const lines = candidates
    .filter(({ text }) => text.startsWith(begun))
    .map(({ text, about }) => `${text}\t${oneLine(about)}\n`);
  return printed(lines.join(''));
}

async function namesOf(
  kind: 'services' | 'jobs' | 'actions',
  call: Invocation['call'],
): Promise<readonly Candidate[]> {
  if (kind === 'actions') {
    const { actions } = await call('admin.list', {}, PATIENCE_MS);
    return actions.map(({ id, label }) => ({ text: id, about: label }));
  }
  const { services } = await call('status.brief', {}, PATIENCE_MS);
  return services
    .filter(({ next_slot_ms }) => kind === 'services' || next_slot_ms !== null)
    .map(({ application, phase }) => ({ text: application, about: phase.toLowerCase() }));
}
