import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ActuatorContext } from '../../src/actuators/context.ts';
import { Launches } from '../../src/actuators/launches.ts';
import { ProvisioningJobs } from '../../src/actuators/provisioning-jobs.ts';
import { ServiceLimits } from '../../src/actuators/service-limits.ts';
import { StopCommands } from '../../src/actuators/stop-commands.ts';
import { createActuators } from '../../src/actuators/table.ts';
import { killCgroup } from '../../src/host/cgroup.ts';
import { resolveCgroupRoot } from '../../src/host/cgroup-mount.ts';
import { CgroupTree } from '../../src/host/cgroup-tree.ts';
import { FifoPool } from '../../src/host/fifo.ts';
import { Keeper } from '../../src/keeper/keeper.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Actuators } from '../../src/model/action.ts';
import type { Fact } from '../../src/model/fact.ts';
import { EMPTY_HISTORY, type Exit } from '../../src/model/history.ts';
import type { Observation } from '../../src/model/observation.ts';
import type { AcceptedSpec } from '../../src/model/service-spec.ts';
import { observeService } from '../../src/observers/observe-service.ts';
import { run } from '../builders/situations.ts';
import { accepted, LOG_SETTINGS, WEB } from '../builders/specs.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeMachine } from '../fakes/fake-machine.ts';

type Behaviour = 'willing' | 'unwilling' | 'ends with 3' | 'cannot start';

/** What the reconciler relies on, on whatever machine. */
interface Machine {
  readonly actuators: Actuators;
  readonly exits: Exit[];
  /** A spec whose command behaves like that. */
  spec(behaviour: Behaviour): AcceptedSpec;
  observe(): Observation;
  /** Lets time pass until it is so. */
  until(isSo: () => boolean): Promise<void>;
  /** The command has come so far that signals meet it as it is. */
  untilReady(): Promise<void>;
  close(): void;
}

const HISTORY = { ...EMPTY_HISTORY, lastRunNumber: 1, run: run() };

function fakeMachine(): Machine {
  const clock = new FakeClock();
  const machine = new FakeMachine(clock);
  const ports = machine.ports();
  const exits: Exit[] = [];
  machine.onExit = (_name, _run, exit) => exits.push(exit);
  const tempers = {
    willing: {},
    unwilling: { obeysAfterMs: null },
    'ends with 3': { livesMs: 1, exitCode: 3 },
    'cannot start': { cannotStart: true },
  };
  const until = async (isSo: () => boolean) => {
    for (let ms = 0; ms < 10_000 && !isSo(); ms += 1) clock.advance(1);
    expect(isSo()).toBe(true);
  };
  return {
    actuators: ports.actuators,
    exits,
    spec: (behaviour) => {
      machine.setTemper(WEB, tempers[behaviour]);
      return accepted();
    },
    observe: () => ports.observe(WEB, HISTORY, null),
    until,
    untilReady: () => until(() => machine.isRunning(WEB)),
    close: () => expect(machine.violations).toEqual([]),
  };
}

const COMMANDS: Readonly<Record<Behaviour, readonly [string, ...string[]]>> = {
  willing: ['/bin/sh', '-c', 'echo ready; exec sleep 1000'],
  unwilling: ['/bin/sh', '-c', 'trap "" TERM; echo ready; exec sleep 1000'],
  'ends with 3': ['/bin/sh', '-c', 'echo ready; exit 3'],
  'cannot start': ['/nonexistent/command'],
};

let instances = 0;

function realMachine(): Machine {
  instances += 1;
  const folder = mkdtempSync(join(tmpdir(), 'pm-contract-'));
  const logs = join(folder, 'logs');
  const tree = CgroupTree.open({
    root: resolveCgroupRoot(null, 'any'),
    name: `pmtest-contract-${process.pid}-${instances}`,
    allowSubtreeControl: true,
  });
  const exits: Exit[] = [];
  const fifos = new FifoPool({ directory: join(folder, 'fifos') });
  const launches = new Launches();
  const keeper = new Keeper(systemClock, (event) => {
    if (event.kind === 'trouble' || event.launch.end === null) return;
    launches.ended(WEB, event.launch.runNumber);
    exits.push(event.launch.end.exit);
  });
  const context: ActuatorContext = {
    tree,
    servicesDirectory: join(folder, 'services'),
    fifos,
    keeper,
    launches,
    limits: new ServiceLimits(),
    stopCommands: new StopCommands(),
    resolveEnvironment: ({ spec }) => ({ variables: spec.environment, digest: null }),
    provisioningJobs: new ProvisioningJobs(),
    onProvisioned: () => {},
    daemonEnvironment: process.env,
    clock: systemClock,
    onLogTrouble: () => {},
    onStopCommandEnded: () => {},
    onCgroupCreated: () => {},
    onCgroupRemoved: () => {},
    recordSlots: async () => {},
    removeServiceFolder: () => {},
  };
  const own = {
    isLauncherAlive: () => launches.isAlive(WEB),
    hasLaunched: () => launches.hasLaunched(WEB, 1),
    isLogCaptured: () => launches.isCaptured(WEB, 1),
    logSettings: () => launches.logSettings(WEB, 1),
    isBeingProvisioned: () => false,
    limitsOf: () => null,
  };
  const until = async (isSo: () => boolean) => {
    const deadlineMs = performance.now() + 10_000;
    while (!isSo() && performance.now() < deadlineMs)
      await new Promise((resolve) => setImmediate(resolve));
    expect(isSo()).toBe(true);
  };
  const stdout = join(logs, 'stdout.log');
  return {
    actuators: createActuators(context),
    exits,
    spec: (behaviour) =>
      accepted({
        workingDirectory: folder,
        startCommand: COMMANDS[behaviour],
        logs: {
          stdout,
          stderr: join(logs, 'e'),
          stopCommandStdout: join(logs, 'so'),
          stopCommandStderr: join(logs, 'se'),
          ...LOG_SETTINGS,
          hints: [],
        },
      }),
    observe: () =>
      observeService(
        tree,
        own,
        { name: WEB, history: HISTORY, spec: null },
        systemClock.monotonicMs(),
      ),
    until,
    untilReady: () => until(() => readText(stdout).includes('ready')),
    close: () => {
      killCgroup(tree.service(WEB));
      keeper.close();
      fifos.close();
      rmSync(folder, { recursive: true, force: true });
      tree.close();
    },
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

describe.each([
  ['simulated', fakeMachine],
  ['real', realMachine],
])('a %s machine', (_title, open) => {
  let machine: Machine;
  beforeEach(() => {
    machine = open();
  });
  afterEach(async () => {
    await machine.actuators.kill(WEB, { kind: 'kill', reason: 'the test is over' });
    await machine.until(
      () => machine.observe().cgroup.kind !== 'populated' && !machine.observe().launcherAlive,
    );
    await machine.actuators['remove-cgroup'](WEB, {
      kind: 'remove-cgroup',
      reason: 'the test is over',
    });
    machine.close();
  });

  const start = (behaviour: Behaviour): Promise<readonly Fact[]> =>
    machine.actuators.start(WEB, {
      kind: 'start',
      accepted: machine.spec(behaviour),
      runNumber: 1,
      intentId: 0,
      reason: 'a test',
    });
  const isPopulated = () => machine.observe().cgroup.kind === 'populated';
  const isOver = () => !isPopulated() && machine.exits.length === 1;

  it('has nothing of a service that was never started', () => {
    expect(machine.observe()).toMatchObject({ cgroup: { kind: 'absent' }, launcherAlive: false });
  });

  it('tells which process it launched, and captures its output', async () => {
    const facts = await start('willing');
    expect(machine.observe()).toMatchObject({ launcherAlive: true, logsCaptured: true });
    await machine.untilReady();
    const { cgroup } = machine.observe();
    expect(facts).toMatchObject([{ kind: 'launched', runNumber: 1 }]);
    const pids = cgroup.kind === 'populated' ? cgroup.pids : [];
    expect(facts.map((fact) => (fact.kind === 'launched' ? fact.main.pid : null))).toEqual(pids);
  });

  it('ends the willing with a signal and reports it', async () => {
    await start('willing');
    await machine.untilReady();
    await machine.actuators.signal(WEB, { kind: 'signal', signal: 'SIGTERM', reason: 'a test' });
    await machine.until(isOver);
    expect(machine.exits).toEqual([{ kind: 'signaled', signal: 'SIGTERM' }]);
    expect(machine.observe()).toMatchObject({ cgroup: { kind: 'empty' }, launcherAlive: false });
  });

  it('ends the unwilling only by a kill', async () => {
    await start('unwilling');
    await machine.untilReady();
    await machine.actuators.signal(WEB, { kind: 'signal', signal: 'SIGTERM', reason: 'a test' });
    expect(isPopulated()).toBe(true);
    await machine.actuators.kill(WEB, { kind: 'kill', reason: 'a test' });
    await machine.until(isOver);
    expect(machine.exits).toEqual([{ kind: 'signaled', signal: 'SIGKILL' }]);
  });

  it('reports the exit code of a process that ended by itself', async () => {
    await start('ends with 3');
    await machine.until(isOver);
    expect(machine.exits).toEqual([{ kind: 'exited', code: 3 }]);
  });

  it('refuses a start that cannot happen, and leaves nothing behind', async () => {
    await expect(start('cannot start')).rejects.toThrow(/./);
    expect(machine.observe()).toMatchObject({ cgroup: { kind: 'absent' }, launcherAlive: false });
    expect(machine.exits).toEqual([]);
  });

  it('takes every stop and removal for done that is done already', async () => {
    await machine.actuators.signal(WEB, { kind: 'signal', signal: 'SIGTERM', reason: 'a test' });
    await machine.actuators.kill(WEB, { kind: 'kill', reason: 'a test' });
    await machine.actuators['remove-cgroup'](WEB, { kind: 'remove-cgroup', reason: 'a test' });
    expect(machine.observe().cgroup.kind).toBe('absent');
  });
});
