import { parseArgs } from 'node:util';
import { COMMON_OPTIONS, type Command, type Options } from './command.ts';
import { findCommand, SHOWN_COMMANDS } from './commands.ts';
import type { Format } from './invocation.ts';
import { UsageError } from './usage-error.ts';

export interface CommandLine {
  readonly command: Command;
  readonly operands: readonly string[];
  readonly values: Readonly<Record<string, string | true | undefined>>;
  readonly format: Format;
  readonly wantsHelp: boolean;
}

/**
 * Understands a command line (without the program's name). Common options may stand anywhere, those
 * of a command after its name; without a command it is `status`.
 *
 * @throws UsageError
 */
export async function readCommandLine(argv: readonly string[]): Promise<CommandLine> {
  const at = commandIndex(argv);
  const word = at === -1 ? 'status' : (argv[at] ?? 'status');
  const command = findCommand(word);
  if (command === undefined) throw await unknownCommand(word);
  const rest = argv.filter((_, index) => index !== at);
  const options = { ...command.options, ...COMMON_OPTIONS };
  const { values, operands } = await readOptions(rest, options, command);
  const wantsHelp = values.help === true;
  if (!wantsHelp) checkOperands(command, operands);
  return { command, operands, values, format: readFormat(values, command), wantsHelp };
}

/** Where the command's name stands; -1 when there is none. */
function commandIndex(argv: readonly string[]): number {
  return tokens(argv, COMMON_OPTIONS).find((token) => token.kind === 'positional')?.index ?? -1;
}

async function readOptions(argv: readonly string[], options: Options, command: Command) {
  const values: Record<string, string | true | undefined> = {};
  const operands: string[] = [];
  for (const token of tokens(argv, options)) {
    if (token.kind === 'positional') operands.push(token.value);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (option === undefined) throw await unknownOption(token.rawName, options, command);
    if (option.type === 'boolean' && token.value !== undefined) {
      throw new UsageError(command.name, `cannot use '${token.rawName}': it takes no value`);
    }
    if (option.type === 'string' && token.value === undefined) {
      const why = `it needs a value (${option.value ?? ''})`;
      throw new UsageError(command.name, `cannot use '${token.rawName}': ${why}`);
    }
    values[token.name] = token.value ?? true;
  }
  return { values, operands };
}

function tokens(argv: readonly string[], options: Options) {
  const args = argv.map((arg, index) => withValue(arg, argv[index + 1], options));
  // Not strict: our own errors name the nearest option, and what the value looks like.
  const config = { args, options: { ...options }, strict: false, tokens: true } as const;
  return parseArgs(config).tokens;
}

/** An option that may stand alone, and does, gets the value that it has then. */
function withValue(arg: string, next: string | undefined, options: Options): string {
  const name = arg.startsWith('--') ? arg.slice(2) : '';
  const alone = Object.hasOwn(options, name) ? options[name]?.alone : undefined;
  const isAlone = next === undefined || (next.startsWith('-') && next !== '-');
  return alone !== undefined && isAlone ? `${arg}=${alone}` : arg;
}

function checkOperands(command: Command, operands: readonly string[]): void {
  const { name, leastOperands, mostOperands } = command;
  if (operands.length < leastOperands) {
    throw new UsageError(name, `cannot ${name}: ${command.operands} is missing`);
  }
  if (operands.length > mostOperands) {
    const surplus = operands[mostOperands] ?? '';
    throw new UsageError(
      name,
      `cannot use '${surplus}': ${name} takes no more than ${mostOperands}`,
    );
  }
}

function readFormat(values: CommandLine['values'], command: Command): Format {
  const format = values.format ?? values.output ?? 'text';
  if (format === 'text' || format === 'json') return format;
  throw new UsageError(command.name, `cannot print as '${format}': expected text or json`);
}

async function unknownCommand(word: string): Promise<UsageError> {
  const near = await nearestOf(
    word,
    SHOWN_COMMANDS.map((command) => command.name),
  );
  const hint = near === undefined ? '' : ` (did you mean ${near}?)`;
  return new UsageError(null, `cannot run '${word}': there is no such command${hint}`);
}

async function unknownOption(rawName: string, options: Options, command: Command) {
  const near = await nearestOf(rawName.replace(/^-+/, ''), Object.keys(options));
  const hint = near === undefined ? '' : ` (did you mean --${near}?)`;
  const why = `${command.name} has no such option${hint}`;
  return new UsageError(command.name, `cannot use '${rawName}': ${why}`);
}

async function nearestOf(word: string, candidates: readonly string[]) {
  const { nearest } = await import('../lib/nearest.ts');
  return nearest(word, candidates);
}
