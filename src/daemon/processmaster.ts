import { parseArgs } from 'node:util';
import { closeInheritedDescriptors } from '../host/inherited-descriptors.ts';
import { notifyReady, takeNotifySocket } from '../host/systemd-notify.ts';
import { buildInfo } from '../lib/build-info.ts';
import { systemClock } from '../lib/clock.ts';
import { messageOf } from '../lib/errors.ts';
import { formatProblem } from '../model/desired.ts';
import { readDaemonConfig } from '../sources/daemon-config-file.ts';
import { check } from './check.ts';
import { Daemon } from './daemon.ts';
import { createLogger, logEvent } from './event-log.ts';
import { Orders } from './orders.ts';
import { preflight } from './preflight.ts';
import { releaseCgroup } from './release-cgroup.ts';
import { type CommandLine, replaceSelf, takeCommandLine } from './successor.ts';

const USAGE = `Usage: processmaster [-c FILE] [--check [--format json]]

  -c, --config FILE  master config (default: config.yaml)
      --check        validate the master config and every definition it reaches, print all
                     problems, exit 0 or 1
      --format FORMAT  of --check: text (default) or json
      --preflight    say whether this program could take over from the running daemon; changes
                     nothing
      --release-cgroup
                     for systemd's ExecStopPost=: make room in the unit's cgroup after a crash
      --version      print the build
  -h, --help         print this

The daemon runs in the foreground; SIGTERM and SIGINT stop all services, then it exits;
SIGUSR2 replaces it by the program and config that are there now, services run on.
`;

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

/** The daemon's command line. Returns the exit code, once there is one. */
async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args);
  if (options === null) return EXIT_USAGE;
  if (options.help) return print(USAGE);
  const build = buildInfo();
  if (options.version)
    return print(`processmaster ${build.version} (${build.host}, ${build.time})\n`);
  if (options['release-cgroup']) return releaseCgroup();
  const { format } = options;
  if (format !== 'text' && format !== 'json') {
    complain(`processmaster: cannot print as '${format}': expected text or json\n`);
    return EXIT_USAGE;
  }
  if (options.check) return check(options.config, format);
  if (options.preflight) return preflight(options.config);
  return run(options.config);
}

function parseOptions(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        config: { type: 'string', short: 'c', default: 'config.yaml' },
        check: { type: 'boolean', default: false },
        format: { type: 'string', default: 'text' },
        preflight: { type: 'boolean', default: false },
        'release-cgroup': { type: 'boolean', default: false },
        version: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    return values;
  } catch (error) {
    complain(`${messageOf(error)}\n\n${USAGE}`);
    return null;
  }
}

/** Runs the daemon until a signal ends it. */
async function run(configPath: string): Promise<number> {
  const orders = new Orders();
  const commandLine = takeCommandLine();
  const reading = readDaemonConfig(configPath);
  if (reading.kind === 'invalid') {
    complain(
      `processmaster: the master config cannot be used:\n${reading.problems.map(formatProblem).join('\n')}\n`,
    );
    return EXIT_FAILED;
  }
  if (process.getuid?.() !== 0) {
    complain(
      'processmaster: cannot run as a user: it manages cgroups, users and sockets (run it as root, e.g. with sudo)\n',
    );
    return EXIT_FAILED;
  }
  closeInheritedDescriptors();
  // Set by our own launcher, for this process alone (mallopt(3)); services are not to inherit it.
  delete process.env.MALLOC_TRIM_THRESHOLD_;
  const notifySocket = takeNotifySocket(process.env);
  const logger = createLogger();
  try {
    const daemon = new Daemon({
      config: reading.config,
      clock: systemClock,
      onEvent: (event) => logEvent(logger, event),
      commandLine,
      onReplaceable: () => orders.replace(),
    });
    orders.listen(() => void daemon.requestRestart('SIGUSR2').catch(() => {}));
    await daemon.start();
    // Supervision goes on where systemd cannot be told; it will say so itself.
    if (notifySocket !== undefined) {
      await notifyReady(notifySocket).catch((error: unknown) => complain(`${messageOf(error)}\n`));
    }
    const left = await daemon.shutDown(await toBeStopped(daemon, orders, commandLine));
    if (left.length === 0) return 0;
    complain(
      `processmaster: could not stop ${left.join(', ')}; the next daemon goes on with that\n`,
    );
    return EXIT_FAILED;
  } catch (error) {
    complain(`processmaster: ${messageOf(error)}\n`);
    return EXIT_FAILED;
  }
}

/** Resolves with the reason to stop, unless the daemon is replaced before. */
async function toBeStopped(
  daemon: Daemon,
  orders: Orders,
  commandLine: CommandLine,
): Promise<string> {
  for (;;) {
    const order = await orders.next();
    if (order.kind === 'stop') return order.reason;
    const isReady = await daemon.readyToHandOver();
    if (!isReady || orders.stopReason !== null) continue;
    await daemon.handOver();
    replaceSelf(commandLine);
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function complain(text: string): void {
  process.stderr.write(text);
}

// Watchers of a start that failed half-way would keep the process alive.
void main(process.argv.slice(2)).then((code) => process.exit(code));
