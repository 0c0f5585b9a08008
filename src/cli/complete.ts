import { COMMON_OPTIONS, type Command, type Options } from './command.ts';

export interface Candidate {
  readonly text: string;
  /** What it is, in a few words; empty where the text says it all. */
  readonly about: string;
}

/** What a position on the command line takes. */
export type Wanted =
  | { readonly kind: 'words'; readonly candidates: readonly Candidate[] }
  /** Names that the daemon knows. */
  | { readonly kind: 'services' | 'jobs' | 'actions' }
  | { readonly kind: 'files' };

/**
 * What may stand where the last of these words (perhaps empty, perhaps begun) stands. Pure: what only
 * the daemon knows is asked for by kind.
 */
export function wantedAt(words: readonly string[], commands: readonly Command[]): Wanted {
  const last = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const command = commandAmong(before, commands);
  const options = { ...command?.options, ...COMMON_OPTIONS };
  const asked = optionBefore(before.at(-1), options);
  if (asked !== null) return choicesOf(asked);
  if (last.startsWith('-')) return { kind: 'words', candidates: optionCandidates(options) };
  if (command === null) return { kind: 'words', candidates: commands.map(commandCandidate) };
  return operandOf(command, commands);
}

/** The first word that is no option and no option's value. */
function commandAmong(words: readonly string[], commands: readonly Command[]): Command | null {
  const name = words.find(
    (word, index) =>
      !word.startsWith('-') && optionBefore(words[index - 1], COMMON_OPTIONS) === null,
  );
  return commands.find((command) => command.name === name) ?? null;
}

/** What the value of an option that waits for one looks like; `null` when none does. */
function optionBefore(word: string | undefined, options: Options): string | null {
  if (word === undefined || !word.startsWith('-')) return null;
  const option = Object.entries(options).find(
    ([name, { short }]) => word === `--${name}` || (short !== undefined && word === `-${short}`),
  );
  return option?.[1].value ?? null;
}

function choicesOf(value: string): Wanted {
  if (value === 'PATH') return { kind: 'files' };
  const choices = value.includes('|') ? value.split('|') : [];
  return { kind: 'words', candidates: choices.map((text) => ({ text, about: '' })) };
}

function optionCandidates(options: Options): readonly Candidate[] {
  return Object.entries(options).map(([name, { help }]) => ({ text: `--${name}`, about: help }));
}

function commandCandidate({ name, summary }: Command): Candidate {
  return { text: name, about: summary };
}

function operandOf({ name, operands }: Command, commands: readonly Command[]): Wanted {
  if (name === 'help') return { kind: 'words', candidates: commands.map(commandCandidate) };
  if (/service|pattern/.test(operands)) return { kind: 'services' };
  if (/action/.test(operands)) return { kind: 'actions' };
  if (/job/.test(operands)) return { kind: 'jobs' };
  if (/file|FILE/.test(operands)) return { kind: 'files' };
  return choicesOf(operands.replaceAll(/[<>[\]…]/g, ''));
}
