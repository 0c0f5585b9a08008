import { readInstant } from '../lib/clock.ts';
import { messageOf, ProcessmasterError } from '../lib/errors.ts';
import type { ServiceStatus } from '../model/status.ts';
import type { ParamsOf, ResultOf } from '../rpc/contract.ts';
import type { Explanation } from '../rpc/explanation.ts';
import { statusNamed } from './one-service.ts';
import type { ApiPorts, ProcessDescription } from './ports.ts';
import { explain } from './why.ts';
import { specInForce, type WhyFacts } from './why-facts.ts';

const RECENT_EVENTS = 40;
const RECENT_RUNS = 6;
const MOST_PROCESSES = 20;
const STDERR_LINES = 8;

/** Keys whose lines an explanation names. */
const KEYS = [
  'application',
  'global.enabled',
  'restart_policy',
  'restart_policy.policy',
  'restart_policy.tolerance.max_restarts',
  'restart_policy.tolerance.duration',
  'process',
  'process.user',
  'process.group',
  'process.working_directory',
  'process.start_command',
  'process.limits',
  'process.nice',
  'process.oom_score_adj',
  'logs.stdout',
  'logs.stderr',
  'provisioning',
];

/**
 * Answers `pmctl why`: gathers what is known of one service and explains it.
 * @throws ProcessmasterError `not_found`, naming near ones
 */
export async function whyService(
  ports: ApiPorts,
  { name }: ParamsOf<'services.why'>,
): Promise<ResultOf<'services.why'>> {
  const status = statusNamed(ports, name);
  // After the status: looking at it makes a changed service due.
  const nextLookMs = ports.nextLookMs(status.name);
  const stderr = await tailStderr(ports, status);
  const facts: WhyFacts = {
    status,
    now: readInstant(ports.clock),
    shuttingDown: ports.isShuttingDown(),
    events: ports.events({ service: status.name, limit: RECENT_EVENTS }),
    runs: ports.runs(status.name, RECENT_RUNS),
    processes: describe(ports, status),
    linesByFile: new Map(filesOf(status).map((file) => [file, ports.locate(file, KEYS)])),
    nextLookMs,
    stderr,
  };
  return explain(facts);
}

/** The main process first, as far as it is there. */
function describe(ports: ApiPorts, status: ServiceStatus): readonly ProcessDescription[] {
  const pids = status.cgroup.kind === 'populated' ? status.cgroup.pids : [];
  const main = status.history.main?.pid;
  const sorted = pids.toSorted((a, b) => Number(b === main) - Number(a === main) || a - b);
  return ports.describeProcesses(sorted.slice(0, MOST_PROCESSES));
}

/** The files whose lines matter: that of the spec in force, and those that contradict each other. */
function filesOf(status: ServiceStatus): readonly string[] {
  const trouble = status.desired?.trouble;
  const inForce = specInForce(status)?.sourceFile;
  const conflicting = trouble?.kind === 'conflict' ? trouble.files : [];
  return [...new Set([...(inForce === undefined ? [] : [inForce]), ...conflicting])];
}

/** What cannot be read is part of the answer: the rest of it is not lost. */
async function tailStderr(ports: ApiPorts, status: ServiceStatus): Promise<Explanation['stderr']> {
  const path = specInForce(status)?.spec.logs.stderr;
  if (path === undefined) return null;
  try {
    const tails = await ports.tailLogs(status.name, STDERR_LINES);
    const lines = tails.find((tail) => tail.path === path)?.lines ?? [];
    return { path, lines, error: null };
  } catch (error) {
    if (!(error instanceof ProcessmasterError)) throw error;
    return { path, lines: [], error: messageOf(error) };
  }
}
