import type { Command, Option, Options } from './command.ts';
import { DEFAULT_SOCKET } from './socket-path.ts';

/** Help for pmctl as a whole. */
export function renderOverview(commands: readonly Command[], common: Options): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return [
    'pmctl: see and steer the services of processmaster',
    '',
    'usage: pmctl [options] [command] [operands]',
    '',
    'commands:',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'options of every command:',
    ...renderOptions(common),
    '',
    `socket: --sock, then PMCTL_SOCK, then ${DEFAULT_SOCKET}`,
    'exit codes: 0 done, 1 failed, 2 usage, 3 not so (is-active), 4 no such service,',
    '  5 daemon not reachable, 6 refused, 7 timed out, 9 configuration invalid,',
    '  10 changes pending (diff --exit-code)',
    'more: pmctl help <command>',
    '',
  ].join('\n');
}

/** Help for one command. */
export function renderCommandHelp(command: Command, common: Options): string {
  const { name, operands, summary, options, example } = command;
  const own = renderOptions(options);
  return [
    `pmctl ${name}: ${summary}`,
    '',
    `usage: pmctl ${[name, '[options]', operands].join(' ').trimEnd()}`,
    '',
    ...(own.length === 0 ? [] : ['options:', ...own, '']),
    'options of every command:',
    ...renderOptions(common),
    '',
    `example: ${example}`,
    '',
  ].join('\n');
}

function renderOptions(options: Options): readonly string[] {
  const rows = Object.entries(options).map(([name, option]) => [spell(name, option), option.help]);
  const width = Math.max(0, ...rows.map(([spelling]) => spelling?.length ?? 0));
  return rows.map(([spelling, help]) => `  ${(spelling ?? '').padEnd(width)}  ${help ?? ''}`);
}

function spell(name: string, { short, value, alone }: Option): string {
  const names = short === undefined ? `    --${name}` : `-${short}, --${name}`;
  if (value === undefined) return names;
  return alone === undefined ? `${names} ${value}` : `${names} [${value}]`;
}
