import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFailed, test } from 'vitest';
import { Instance } from '../e2e/harness.ts';
import { zombiesOf } from '../e2e/kernel.ts';
import {
  afterCrash,
  afterFile,
  afterOperator,
  type Expected,
  type File,
  phaseOf,
  UNDEFINED,
} from './expected-service.ts';
import { Random } from './random.ts';
import { eventNumbers, readSeed, readSteps, World } from './world.ts';

const NAMES = ['ant', 'bee', 'cat', 'dog', 'eel', 'fox', 'gnu', 'hen'];
/** CHAOS_STEPS=2000 makes a long run of it. */
const STEPS = readSteps(25);
/** How long a life of the daemon lasts after it was told something, at most. */
const LIFE_MS = 400;

/**
 * Whatever happens to files, services, operators and the daemon, in whatever order: afterwards the
 * machine is as the files and the operators want it, and nothing was lost or done twice on the way.
 */
test(
  `converges whatever happens (${STEPS} steps)`,
  async () => {
    const seed = readSeed();
    console.log(`chaos: CHAOS_SEED=${seed} CHAOS_STEPS=${STEPS} replays this run`);
    const story: string[] = [];
    onTestFailed(() => console.error(`seed ${seed}:\n${story.join('\n')}`));
    const chaos = new Chaos(new World(new Instance()), new Random(seed), (line) =>
      story.push(line),
    );
    await chaos.begin();
    for (let step = 1; step <= STEPS; step += 1) {
      story.push(`step ${step}`);
      await chaos.step();
    }
    await chaos.end();
  },
  60_000 + STEPS * 30_000,
);

type Verb = 'start' | 'stop' | 'restart';

class Chaos {
  readonly #world: World;
  readonly #random: Random;
  readonly #tell: (line: string) => void;
  readonly #expected = new Map<string, Expected>(NAMES.map((name) => [name, UNDEFINED]));
  readonly #unanswered: (readonly [Verb, string])[] = [];
  #version = 0;

  constructor(world: World, random: Random, tell: (line: string) => void) {
    this.#world = world;
    this.#random = random;
    this.#tell = tell;
  }

  async begin(): Promise<void> {
    for (const name of NAMES) this.#write(name, this.#newFile());
    await this.#world.instance.start();
    await this.#settle();
  }

  /** Some things happen at about the same time, the daemon may die meanwhile; then all settles. */
  async step(): Promise<void> {
    const names = new Set([1, 2, 3].map(() => this.#random.pick(NAMES)));
    const isKilled = this.#random.below(3) > 0;
    const dies = isKilled ? this.#killAfter(this.#random.below(LIFE_MS)) : Promise.resolve();
    for (const name of names) await this.#somethingHappensTo(name);
    await dies;
    if (isKilled) await this.#world.instance.start();
    else if (this.#random.below(6) === 0) await this.#restartDaemon();
    await this.#askAgain();
    await this.#settle();
  }

  async end(): Promise<void> {
    const { instance } = this.#world;
    const numbers = await eventNumbers(instance);
    expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b));
    expect(zombiesOf(instance.daemonPid)).toEqual([]);
    expect(await instance.endDaemon('SIGTERM')).toBe(0);
  }

  async #settle(): Promise<void> {
    await this.#world.converges(this.#expected);
    expect(this.#world.violations(this.#expected)).toEqual([]);
    for (const [name, one] of this.#expected) {
      this.#expected.set(name, { ...one, mayHaveNewProcess: phaseOf(one) !== 'RUNNING' });
    }
  }

  async #killAfter(afterMs: number): Promise<void> {
    await delay(afterMs);
    this.#tell(`  the daemon is killed after ${afterMs} ms`);
    await this.#world.instance.endDaemon('SIGKILL');
  }

  async #restartDaemon(): Promise<void> {
    this.#tell('  the daemon is restarted');
    const { code, stderr } = await this.#world.instance.pmctl('daemon', 'restart');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  }

  async #somethingHappensTo(name: string): Promise<void> {
    const now = this.#get(name);
    const { file, inForce } = now;
    if (file === null) return this.#write(name, this.#newFile());
    const runs = inForce?.enabled === true;
    const happenings: (() => void | Promise<void>)[] = [
      () => this.#write(name, { ...file, isBroken: false, version: ++this.#version }),
      () => this.#write(name, { ...file, isBroken: false, label: this.#random.below(100) }),
      () => this.#write(name, { ...file, isBroken: false, enabled: !file.enabled }),
      () => this.#write(name, { ...file, isBroken: !file.isBroken }),
      () => this.#operate('stop', name),
      () => this.#crash(name),
      () => this.#crash(name),
    ];
    if (this.#mayLose()) happenings.push(() => this.#write(name, null));
    if (runs) happenings.push(() => this.#operate('start', name));
    if (runs) happenings.push(() => this.#operate('restart', name));
    await this.#random.pick(happenings)();
  }

  /** Losing too many at once trips the brake, which has tests of its own. */
  #mayLose(): boolean {
    return [...this.#expected.values()].filter(({ file }) => file === null).length < 2;
  }

  #newFile(): File {
    return { version: ++this.#version, enabled: true, label: 0, isBroken: false };
  }

  #write(name: string, file: File | null): void {
    this.#tell(`  ${name}: file ${JSON.stringify(file)}`);
    this.#world.writeFile(name, file);
    this.#expected.set(name, afterFile(this.#get(name), file));
  }

  #crash(name: string): void {
    if (!this.#world.crash(name)) return;
    this.#tell(`  ${name}: crash`);
    this.#expected.set(name, afterCrash(this.#get(name)));
  }

  async #operate(verb: Verb, name: string): Promise<void> {
    const { code, stderr } = await this.#world.instance.pmctl(verb, name, '--no-wait');
    this.#tell(`  ${name}: ${verb} -> ${code} ${stderr.trim()}`);
    this.#expected.set(name, afterOperator(this.#get(name), verb));
    if (code !== 0) this.#unanswered.push([verb, name]);
  }

  /** Where the daemon died under a request, nobody knows whether it was recorded. */
  async #askAgain(): Promise<void> {
    for (const [verb, name] of this.#unanswered.splice(0)) {
      this.#tell(`  ${name}: ${verb} again`);
      const { code, stderr } = await this.#world.instance.pmctl(verb, name, '--no-wait');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    }
  }

  #get(name: string): Expected {
    return this.#expected.get(name) ?? UNDEFINED;
  }
}
