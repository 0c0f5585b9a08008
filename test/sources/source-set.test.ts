import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/lib/clock.ts';
import type { ApplyMode } from '../../src/model/daemon-config.ts';
import type { DesiredState } from '../../src/model/desired.ts';
import { ConfigDirectory, isDefinitionName } from '../../src/sources/config-directory.ts';
import { type Inheritance, SourceSet } from '../../src/sources/source-set.ts';
import { accepted, name, WEB } from '../builders/specs.ts';

const DEADLINE_MS = 10_000;
/** Takes a few hundred milliseconds to read. */
const MANY = 2_000;
const NOTHING_INHERITED = { baseline: new Map(), unknown: 'all' } as const;

describe('the set of sources', () => {
  let folder: string;
  let configs: string;
  let set: SourceSet;
  let desired: DesiredState[];
  let availability: (string | null)[];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pm-sources-'));
    configs = join(folder, 'config.d');
    mkdirSync(configs);
    desired = [];
    availability = [];
    set = createSet('auto');
  });
  const createSet = (apply: ApplyMode, inherited: Inheritance = NOTHING_INHERITED) => {
    const source = new ConfigDirectory(configs);
    const watched = { source, path: configs, depth: 0, concerns: isDefinitionName } as const;
    return new SourceSet([watched], inherited, {
      clock: systemClock,
      apply,
      onDesired: (state) => desired.push(state),
      onAvailability: (_source, reason) => availability.push(reason),
      onDegraded: () => {},
    });
  };
  afterEach(async () => {
    await set.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const write = (file: string, workingDirectory = folder) =>
    writeFileSync(join(configs, file), `process: {working_directory: ${workingDirectory}}\n`);
  const names = (): readonly string[] => [...(desired.at(-1)?.services.keys() ?? [])];
  const until = async (isSo: () => boolean) => {
    const deadlineMs = performance.now() + DEADLINE_MS;
    while (!isSo() && performance.now() < deadlineMs)
      await new Promise((resolve) => setImmediate(resolve));
    expect(isSo()).toBe(true);
  };

  it('hands on what is there before anything is watched, however young', () => {
    write('web.yaml');
    set.start();
    expect(names()).toEqual(['web']);
  });

  it('hands on a file that is dropped, once it has settled', async () => {
    set.start();
    write('web.yaml');
    await until(() => names().includes('web'));
  });

  it('reads an operator’s update at once', async () => {
    set.start();
    write('web.yaml');
    expect([...(await set.read({ settled: true })).services.keys()]).toEqual(['web']);
  });

  it('says that a source cannot be read, and that it can again, each once', async () => {
    write('web.yaml');
    set.start();
    renameSync(configs, `${configs}.away`);
    await set.read({ settled: true });
    await set.read({ settled: true });
    expect(availability).toHaveLength(1);
    expect(availability[0]).toContain(configs);
    expect(desired.at(-1)?.services.get(WEB)?.trouble?.kind).toBe('held');
    renameSync(`${configs}.away`, configs);
    await set.read({ settled: true });
    expect(availability[1]).toBeNull();
    expect(desired.at(-1)?.services.get(WEB)?.trouble).toBeNull();
  });

  it('lets other things happen while it reads many files, and takes them over all at once', async () => {
    set.start();
    for (let file = 0; file < MANY; file += 1) write(`web-${file}.yaml`);
    let turns = 0;
    const isRead = set.read({ settled: true }).then(() => true);
    while (!(await Promise.race([isRead, nextTurn(false)]))) {
      turns += 1;
      expect(names().length === 0 || names().length === MANY).toBe(true);
    }
    expect(turns).toBeGreaterThan(5);
    expect(names()).toHaveLength(MANY);
  });

  it('takes a file as it is in the end when it changes or goes while many are read', async () => {
    set.start();
    for (let file = 0; file < MANY; file += 1) write(`web-${file}.yaml`);
    const reading = set.read({ settled: true });
    // The first are loaded by now, the last are not.
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    for (const file of [0, MANY - 1]) write(`web-${file}.yaml`, '/changed');
    for (const file of [1, MANY - 2]) rmSync(join(configs, `web-${file}.yaml`));
    const { services, strayProblems } = await reading;
    const folders = [0, MANY - 1].map(
      (file) => services.get(name(`web-${file}`))?.accepted?.spec.workingDirectory,
    );
    expect(folders).toEqual(['/changed', '/changed']);
    expect(services.size).toBe(MANY - 2);
    expect([...services.values()].filter(({ trouble }) => trouble !== null)).toEqual([]);
    expect(strayProblems).toEqual([]);
  });

  it('is read for one who asks after another, and for nobody once it is closed', async () => {
    write('web.yaml');
    set.start();
    const first = set.read({ settled: true });
    write('db.yaml');
    const second = set.read({ settled: true });
    expect([...(await first).services.keys(), ...(await second).services.keys()]).toContain('db');
    const tooLate = set.read({ settled: true });
    await Promise.all([set.close(), expect(tooLate).rejects.toThrow('the daemon is ending')]);
    const handedOn = desired.length;
    write('late.yaml');
    await expect(set.read({ settled: true })).rejects.toMatchObject({ code: 'conflict' });
    expect(desired).toHaveLength(handedOn);
  });

  it('foresees a reading and changes nothing by it', () => {
    write('web.yaml');
    set.start();
    write('db.yaml');
    rmSync(join(configs, 'web.yaml'));
    const text = 'process: {working_directory: /srv}\n';
    const texts = new Map([[join(configs, 'api.yaml'), text]]);
    expect([...set.peek({ prune: false, texts }).services.keys()]).toEqual(['api', 'db']);
    expect(desired).toHaveLength(1);
    expect(names()).toEqual(['web']);
    expect([...set.peek({ prune: false }).services.keys()]).toEqual(['db']);
    expect(set.holds(join(configs, 'api.yaml'))).toBe(true);
    expect(set.holds('/elsewhere/api.yaml')).toBe(false);
  });

  it('that applies nothing by itself takes over all of it once, then what is confirmed', async () => {
    write('web.yaml');
    set = createSet('manual');
    set.start();
    expect(names()).toEqual(['web']);
    write('db.yaml');
    expect([...(await set.read({ settled: true })).services.keys()]).toEqual(['web']);
    expect(desired.at(-1)?.waitingNames).toEqual(['db']);
    expect([...(await set.read({ settled: true, apply: 'all' })).services.keys()]).toEqual([
      'db',
      'web',
    ]);
    expect(desired.at(-1)?.waitingNames).toBeUndefined();
  });

  it('that applies nothing by itself goes on with what was in force, and with what nobody knows', () => {
    write('web.yaml');
    write('db.yaml');
    write('new.yaml');
    const baseline = new Map([[WEB, accepted({}, 7)]]);
    set = createSet('manual', { baseline, unknown: new Set([name('db')]) });
    set.start();
    expect(names()).toEqual(['db', 'web']);
    expect(desired.at(-1)?.services.get(WEB)).toMatchObject({
      accepted: { generation: 7 },
      waiting: 'changed',
    });
    expect(desired.at(-1)?.waitingNames).toEqual(['new', 'web']);
  });
});
