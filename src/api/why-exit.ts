import type { Exit } from '../model/history.ts';
import { describeExit } from '../model/history.ts';
import type { Explanation } from '../rpc/explanation.ts';
import { decodeExit, meaningOf } from './decode-exit.ts';
import { type LastEnd, lastEndOf, placeOf, specInForce, type WhyFacts } from './why-facts.ts';

type WayOut = Explanation['ways_out'][number];

/** The last exit, decoded. Pure. */
export function explainLastExit({ status }: WhyFacts): Explanation['last_exit'] {
  const last = lastEndOf(status);
  if (last === null) return null;
  const { exit, at, stop } = last.end;
  return {
    kind: exit.kind,
    code: exit.kind === 'exited' ? exit.code : null,
    signal: exit.kind === 'signaled' ? exit.signal : null,
    message: describeExit(exit),
    at_ms: at.wallMs,
    decoded: decodeExit(exit, successCodes(status)),
    stage: exit.kind === 'launch_failed' ? exit.stage : null,
    run: last.run,
    ran_ms: last.ranMs === null ? null : Math.round(last.ranMs),
    stopped_because: stop?.reason ?? null,
    killed: stop?.killed ?? 0,
  };
}

/** What a run's end reads like in a sentence about the service: `exited with code 3`. */
export function endInWords({ end }: LastEnd, status: WhyFacts['status']): string {
  const { exit } = end;
  const meaning = meaningOf(exit, successCodes(status));
  const explained = meaning === null ? '' : ` (${meaning})`;
  switch (exit.kind) {
    case 'exited':
      return `exited with code ${exit.code}${explained}`;
    case 'signaled':
      return exit.outOfMemory === undefined
        ? `was killed by ${exit.signal}${explained}`
        : `was ${describeExit(exit)}`;
    case 'launch_failed':
      return `could not be started (${exit.message})`;
    case 'unknown':
      return `ended, how is not known (${exit.reason})`;
  }
}

/** What to do about an end that was not wanted. */
export function adviceOnExit(facts: WhyFacts): readonly WayOut[] {
  const last = lastEndOf(facts.status);
  if (last === null || last.end.stop !== null) return [];
  const hint = hintOn(last.end.exit, facts);
  return hint === null ? [] : [{ command: null, hint }];
}

function hintOn(exit: Exit, facts: WhyFacts): string | null {
  switch (exit.kind) {
    case 'exited':
      return exit.code === 126 || exit.code === 127
        ? hintOnKeys(facts, 'see that what it calls is there and executable', START_COMMAND)
        : null;
    case 'signaled':
      if (exit.outOfMemory !== undefined) {
        return exit.outOfMemory.limitBytes === null
          ? 'find out what else uses the memory of this host, or of the cgroup above (cgroup.memory_max)'
          : hintOnKeys(facts, 'find out what it needs the memory for', ['resources.max_memory']);
      }
      return CORE_DUMPING.has(exit.signal)
        ? 'look for a core dump (coredumpctl list, or where /proc/sys/kernel/core_pattern says)'
        : null;
    case 'launch_failed':
      return hintOnStage(exit.stage, exit.message, facts);
    case 'unknown':
      return null;
  }
}

/** Signals whose default is a core dump, see signal(7). */
const CORE_DUMPING: ReadonlySet<string> = new Set([
  'SIGQUIT',
  'SIGILL',
  'SIGTRAP',
  'SIGABRT',
  'SIGBUS',
  'SIGFPE',
  'SIGSEGV',
  'SIGSYS',
  'SIGXCPU',
  'SIGXFSZ',
]);

const START_COMMAND = ['process.start_command'] as const;

/** What to do when a start fails, by the stage that it failed at, and the keys that decide it. */
const STAGE_HINTS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  'resolve user': ['create the user or group', 'process.user', 'process.group'],
  'set identity': ['see that its user may be taken', 'process.user', 'process.group'],
  environment: ['let the file be read', 'process.environment', 'process.env_file'],
  chdir: ['make the folder, open to its user', 'process.working_directory'],
  'set limits': ['ask for less', 'process.limits'],
  'set nice': ['ask for less', 'process.nice'],
  'set OOM score': ['ask for less', 'process.oom_score_adj'],
  'capture logs': ['see that the log files can be written', 'logs.stdout', 'logs.stderr'],
};

function hintOnStage(stage: string, message: string, facts: WhyFacts): string | null {
  if (stage === 'exec') {
    const isDenied = /may not|permission denied/i.test(message);
    const first = isDenied
      ? 'let its user execute the program (chmod +x)'
      : 'put the program there';
    return hintOnKeys(facts, first, START_COMMAND);
  }
  const [first, ...keys] = STAGE_HINTS[stage] ?? [];
  return first === undefined ? null : hintOnKeys(facts, first, keys);
}

/** `make the folder, or correct process.working_directory in /etc/…/web.yaml:3`. */
function hintOnKeys(facts: WhyFacts, first: string, keys: readonly string[]): string {
  const file = specInForce(facts.status)?.sourceFile;
  const where = file === undefined ? '' : ` in ${placeOf(facts, file, ...keys)}`;
  return `${first}, or correct ${keys.join(' or ')}${where}`;
}

function successCodes(status: WhyFacts['status']): readonly number[] {
  return specInForce(status)?.spec.successExitCodes ?? [0];
}
