/** The table of commands: all that help, parsing and dispatch know. The code of each is loaded late. */
import type { Run } from './invocation.ts';

export interface Option {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** What a value looks like, for options that take one. */
  readonly value?: string;
  /** What it means without one; left out where it needs one. */
  readonly alone?: string;
  readonly help: string;
}

export type Options = Readonly<Record<string, Option>>;

export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Operands, as in usage lines. */
  readonly operands: string;
  readonly leastOperands: number;
  readonly mostOperands: number;
  readonly options: Options;
  readonly example: string;
  /** For programs, not for people: help does not list it. */
  readonly isHidden?: true;
  /** `null` for help, which is made from this very table. */
  readonly load: (() => Promise<{ readonly run: Run }>) | null;
}

/** Options of every command; they may also stand before its name. */
export const COMMON_OPTIONS: Options = {
  sock: { type: 'string', short: 's', value: 'PATH', help: "the daemon's unix socket" },
  format: { type: 'string', value: 'text|json', help: 'how to print (default: text)' },
  output: { type: 'string', short: 'o', value: 'text|json', help: 'the same as --format' },
  help: { type: 'boolean', short: 'h', help: 'show this help' },
};

const WAITING: Options = {
  wait: { type: 'boolean', help: 'wait until it is so (default)' },
  'no-wait': { type: 'boolean', help: 'return as soon as it is asked for' },
  timeout: { type: 'string', value: 'TIME', help: 'how long to wait, e.g. 30s or 2m' },
};

const EXIT_CODE: Options = {
  'exit-code': { type: 'boolean', help: 'end with 10 when something would change' },
};

const REASON: Options = {
  reason: { type: 'string', value: 'TEXT', help: 'why, for whoever looks at it later' },
};

const MANY = Number.POSITIVE_INFINITY;

export const COMMANDS: readonly Command[] = [
  {
    name: 'status',
    summary: 'Show services; the default command. With one name: everything about it',
    operands: '[service|pattern…]',
    leastOperands: 0,
    mostOperands: MANY,
    options: {},
    example: "pmctl status 'web*'",
    load: () => import('./commands/status.ts'),
  },
  {
    name: 'why',
    summary: 'Say why a service is as it is, who decided it and what happens next',
    operands: '<service>',
    leastOperands: 1,
    mostOperands: 1,
    options: {},
    example: 'pmctl why web',
    load: () => import('./commands/why.ts'),
  },
  {
    name: 'describe',
    summary: 'Show everything about a service: its whole definition in force, its last runs',
    operands: '<service>',
    leastOperands: 1,
    mostOperands: 1,
    options: {},
    example: 'pmctl describe web',
    load: () => import('./commands/describe.ts'),
  },
  {
    name: 'start',
    summary: 'Start services and wait until they run',
    operands: '<service|pattern|all>…',
    leastOperands: 1,
    mostOperands: MANY,
    options: {
      ...WAITING,
      ...REASON,
      force: { type: 'boolean', help: 'also when global.enabled is false' },
    },
    example: 'pmctl start web --timeout 30s',
    load: () => import('./commands/start.ts'),
  },
  {
    name: 'stop',
    summary: 'Stop services and wait until nothing of them is left',
    operands: '<service|pattern|all>…',
    leastOperands: 1,
    mostOperands: MANY,
    options: {
      ...WAITING,
      ...REASON,
      for: {
        type: 'string',
        value: 'TIME',
        help: 'only that long, e.g. 2h, then as defined again',
      },
    },
    example: "pmctl stop web --for 2h --reason 'new disk'",
    load: () => import('./commands/stop.ts'),
  },
  {
    name: 'restart',
    summary: 'Stop services, start them again and wait until they run',
    operands: '<service|pattern|all>…',
    leastOperands: 1,
    mostOperands: MANY,
    options: { ...WAITING, ...REASON },
    example: 'pmctl restart all --no-wait',
    load: () => import('./commands/restart.ts'),
  },
  {
    name: 'enable',
    summary: 'Set global.enabled in the definitions and wait until the services run',
    operands: '<service|pattern|all>…',
    leastOperands: 1,
    mostOperands: MANY,
    options: { ...WAITING, ...REASON },
    example: 'pmctl enable web',
    load: () => import('./commands/enable.ts'),
  },
  {
    name: 'disable',
    summary: 'Clear global.enabled in the definitions and wait until the services are stopped',
    operands: '<service|pattern|all>…',
    leastOperands: 1,
    mostOperands: MANY,
    options: { ...WAITING, ...REASON },
    example: "pmctl disable web --reason 'moved to another host'",
    load: () => import('./commands/disable.ts'),
  },
  {
    name: 'flag',
    summary: 'Put words of your own on a service, for a while or for good',
    operands: '<service|pattern|all> <flag>…',
    leastOperands: 2,
    mostOperands: MANY,
    options: {
      ttl: { type: 'string', short: 't', value: 'TIME', help: 'how long they hold, e.g. 2h' },
    },
    example: 'pmctl flag web maintenance --ttl 2h',
    load: () => import('./commands/flag.ts'),
  },
  {
    name: 'unflag',
    summary: 'Take such words off a service',
    operands: '<service|pattern|all> <flag|all>…',
    leastOperands: 2,
    mostOperands: MANY,
    options: {},
    example: 'pmctl unflag web maintenance',
    load: () => import('./commands/unflag.ts'),
  },
  {
    name: 'wait',
    summary: 'Wait until services run, or are stopped, whoever brings that about',
    operands: '<service|pattern|all>…',
    leastOperands: 1,
    mostOperands: MANY,
    options: {
      for: {
        type: 'string',
        value: 'running|stopped',
        help: 'what to wait for (default: running)',
      },
      timeout: { type: 'string', value: 'TIME', help: 'how long (default: 30s)' },
    },
    example: 'pmctl wait web db --timeout 2m',
    load: () => import('./commands/wait.ts'),
  },
  {
    name: 'is-active',
    summary: 'End with 0 when all of these services run, with 3 when not; print their phases',
    operands: '<service|pattern|all>…',
    leastOperands: 1,
    mostOperands: MANY,
    options: {
      quiet: { type: 'boolean', short: 'q', help: 'print nothing' },
    },
    example: 'pmctl is-active -q web || echo down',
    load: () => import('./commands/is-active.ts'),
  },
  {
    name: 'update',
    summary: 'Read all definitions now and say what changed and what is wrong',
    operands: '',
    leastOperands: 0,
    mostOperands: 0,
    options: {
      prune: {
        type: 'boolean',
        help: 'confirm that many definitions are gone: stop those services',
      },
      'dry-run': { type: 'boolean', help: 'only show what it would do, like pmctl diff' },
      ...EXIT_CODE,
    },
    example: 'pmctl update --dry-run',
    load: () => import('./commands/update.ts'),
  },
  {
    name: 'diff',
    summary: 'Show what an update would do to which services, or what dropping files would do',
    operands: '[file…]',
    leastOperands: 0,
    mostOperands: MANY,
    options: {
      prune: { type: 'boolean', help: 'as if update --prune confirmed what is gone' },
      ...EXIT_CODE,
    },
    example: 'pmctl diff --exit-code web.yaml',
    load: () => import('./commands/diff.ts'),
  },
  {
    name: 'validate',
    summary: 'Check definitions and master configs and print every problem; needs no daemon',
    operands: '<file|folder|->…',
    leastOperands: 1,
    mostOperands: MANY,
    options: {
      kind: {
        type: 'string',
        value: 'KIND',
        help: 'service, auto-service or master (default: told by the content)',
      },
    },
    example: 'pmctl validate config.yaml config.d web.yaml',
    load: () => import('./commands/validate.ts'),
  },
  {
    name: 'events',
    summary: 'Show what happened, oldest first',
    operands: '[service|pattern…]',
    leastOperands: 0,
    mostOperands: MANY,
    options: {
      lines: {
        type: 'string',
        short: 'n',
        value: 'N',
        help: 'how many (default: 200; with -f 10; with --since all)',
      },
      follow: { type: 'boolean', short: 'f', help: 'go on with what happens from now on' },
      since: {
        type: 'string',
        value: 'TIME',
        help: 'only what happened within this time (10m) or since this one (2026-01-31T12:00:00Z)',
      },
    },
    example: 'pmctl events -f --since 10m web',
    load: () => import('./commands/events.ts'),
  },
  {
    name: 'logs',
    summary: "Show and follow a service's output, or (-f) one file name of all services",
    operands: '[service|file name]',
    leastOperands: 0,
    mostOperands: 1,
    options: {
      lines: {
        type: 'string',
        short: 'n',
        value: 'N',
        help: 'how many of each file (default: 50; with -f 10; all that --since, --until, --grep pick)',
      },
      follow: { type: 'boolean', short: 'f', help: 'go on with what is written from now on' },
      since: {
        type: 'string',
        value: 'TIME',
        help: 'only lines within this time (10m) or since this one (2026-01-31T12:00:00Z)',
      },
      until: { type: 'string', value: 'TIME', help: 'only lines before that' },
      grep: {
        type: 'string',
        value: 'RE',
        help: 'only lines that this regular expression matches',
      },
      context: {
        type: 'string',
        short: 'C',
        value: 'N',
        help: 'and so many lines around each of them',
      },
      stdout: { type: 'boolean', help: 'only what it says on stdout' },
      stderr: { type: 'boolean', help: 'only what it says on stderr' },
      previous: { type: 'boolean', help: 'only lines of the run before the last one' },
      merge: { type: 'boolean', help: 'lines of all files by their time (logs.timestamps)' },
      json: { type: 'boolean', help: 'each line as one line of JSON' },
      raw: { type: 'boolean', help: 'control characters as they are: a terminal acts on them' },
    },
    example: "pmctl logs web --since 10m --grep 'timeout|refused' -C 2",
    load: () => import('./commands/logs.ts'),
  },
  {
    name: 'run',
    summary: "Run a job now, show its output and end with the job's own exit code",
    operands: '<job>',
    leastOperands: 1,
    mostOperands: 1,
    options: {
      ...REASON,
      force: { type: 'boolean', help: 'also when global.enabled is false' },
      raw: { type: 'boolean', help: 'control characters as they are: a terminal acts on them' },
    },
    example: 'pmctl run backup',
    load: () => import('./commands/run.ts'),
  },
  {
    name: 'history',
    summary: 'Show how the slots and runs of jobs went, oldest first',
    operands: '[job]',
    leastOperands: 0,
    mostOperands: 1,
    options: {
      lines: { type: 'string', short: 'n', value: 'N', help: 'how many (default: 50)' },
      failed: { type: 'boolean', help: 'only what went wrong: failed, overtime, missed, lost' },
      since: {
        type: 'string',
        value: 'TIME',
        help: 'only slots within this time (2d) or since this one (2026-01-31T12:00:00Z)',
      },
    },
    example: 'pmctl history backup --failed --since 30d',
    load: () => import('./commands/history.ts'),
  },
  {
    name: 'next',
    summary: 'Show when jobs are due next',
    operands: '[job]',
    leastOperands: 0,
    mostOperands: 1,
    options: {
      lines: { type: 'string', short: 'n', value: 'N', help: 'how many (default: 10)' },
    },
    example: 'pmctl next backup -n 3',
    load: () => import('./commands/next.ts'),
  },
  {
    name: 'perf-metrics',
    summary: 'Show what services use, again and again: CPU, memory, disk, processes, pressure',
    operands: '[service|pattern…]',
    leastOperands: 0,
    mostOperands: MANY,
    options: {
      once: { type: 'boolean', help: 'print one sample, not one after the other' },
      'interval-ms': {
        type: 'string',
        value: 'N',
        help: 'how long a sample takes (default: 1000)',
      },
    },
    example: 'pmctl perf-metrics web --once',
    load: () => import('./commands/perf-metrics.ts'),
  },
  {
    name: 'top',
    summary: 'Show services by what they use, problems first, again and again',
    operands: '[service|pattern…]',
    leastOperands: 0,
    mostOperands: MANY,
    options: {
      batch: {
        type: 'boolean',
        short: 'b',
        help: 'plain text, for scripts (as it is without -b for now)',
      },
      iterations: {
        type: 'string',
        short: 'n',
        value: 'N',
        help: 'how often (default: until Ctrl-C)',
      },
      'interval-ms': {
        type: 'string',
        value: 'N',
        help: 'how long a sample takes (default: 1000)',
      },
    },
    example: 'pmctl top -b -n 1',
    load: () => import('./commands/top.ts'),
  },
  {
    name: 'metrics',
    summary: 'Print everything as OpenMetrics, for Prometheus and its like',
    operands: '',
    leastOperands: 0,
    mostOperands: 0,
    options: {},
    example: 'pmctl metrics > /var/lib/node_exporter/processmaster.prom',
    load: () => import('./commands/metrics.ts'),
  },
  {
    name: 'password',
    summary: 'Make or check an entry of web_console.auth.basic.users; needs no daemon',
    operands: '<generate|verify>',
    leastOperands: 1,
    mostOperands: 1,
    options: {
      user: { type: 'string', value: 'NAME', help: 'whose entry' },
      password: {
        type: 'string',
        value: 'PASSWORD',
        alone: '-',
        help: 'alone or -: one line of stdin, which a terminal does not show',
      },
      secure: { type: 'string', value: 'USER:HASH', help: 'the entry to verify' },
    },
    example: 'pmctl password generate --user admin --password',
    load: () => import('./commands/password.ts'),
  },
  {
    name: 'completion',
    summary: 'Print what makes a shell complete commands, options and the names of services',
    operands: '<bash|zsh|fish>',
    leastOperands: 1,
    mostOperands: 1,
    options: {},
    example: 'source <(pmctl completion bash)',
    load: () => import('./commands/completion.ts'),
  },
  {
    name: '__complete',
    summary: 'Print what may stand where the last word stands; for the scripts of completion',
    operands: '[word…]',
    leastOperands: 0,
    mostOperands: MANY,
    options: {},
    example: "pmctl __complete -- start ''",
    isHidden: true,
    load: () => import('./commands/complete.ts'),
  },
  {
    name: 'daemon',
    summary: 'Show the daemon, or replace it by the program that is installed now; services run on',
    operands: '<status|restart>',
    leastOperands: 1,
    mostOperands: 1,
    options: {
      timeout: { type: 'string', value: 'TIME', help: 'how long to wait (default: 30s)' },
    },
    example: 'pmctl daemon restart',
    load: () => import('./commands/daemon.ts'),
  },
  {
    name: 'version',
    summary: "Show pmctl's own build",
    operands: '',
    leastOperands: 0,
    mostOperands: 0,
    options: {},
    example: 'pmctl version',
    load: () => import('./commands/version.ts'),
  },
  {
    name: 'server-version',
    summary: "Show the daemon's build, also when it is not pmctl's",
    operands: '',
    leastOperands: 0,
    mostOperands: 0,
    options: {},
    example: 'pmctl server-version',
    load: () => import('./commands/server-version.ts'),
  },
  {
    name: 'help',
    summary: 'Show how to use pmctl or one of its commands',
    operands: '[command]',
    leastOperands: 0,
    mostOperands: 1,
    options: {},
    example: 'pmctl help start',
    load: null,
  },
];

/** What help lists, and a shell completes. */
export const SHOWN_COMMANDS: readonly Command[] = COMMANDS.filter(({ isHidden }) => !isHidden);

export function findCommand(name: string): Command | undefined {
  return COMMANDS.find((command) => command.name === name);
}
