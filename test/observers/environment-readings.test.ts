import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { DesiredService, DesiredState } from '../../src/model/desired.ts';
import { contentChanges } from '../../src/model/environment-reading.ts';
import type { AcceptedSpec } from '../../src/model/service-spec.ts';
import { EnvironmentReadings } from '../../src/observers/environment-readings.ts';
import { accepted, desired, name, WEB } from '../builders/specs.ts';
import { ROOT } from '../host/launch-rig.ts';
import { scratchFolder } from '../host/rig.ts';

const KEY = Buffer.alloc(32, 1);
const AT_ONCE = { settled: true, waits: () => false };
const WAITING = { settled: true, waits: () => true };

function rig(key: () => Buffer = () => KEY, settle = async () => {}) {
  const folder = scratchFolder();
  const token = join(folder, 'token');
  writeFileSync(token, 'secret');
  const environment = [{ name: 'TOKEN', value: '@file://token' }];
  const web = accepted({ workingDirectory: folder, environment });
  return {
    token,
    web,
    state: stateOf(desired(web)),
    readings: new EnvironmentReadings(key, settle),
  };
}

function stateOf(...services: DesiredService[]): DesiredState {
  const byName = new Map(services.map((service) => [service.name, service] as const));
  return { services: byName, strayProblems: [], brakes: [] };
}

function digestOf(readings: EnvironmentReadings, { spec }: AcceptedSpec) {
  const reading = readings.of(spec.name);
  if (reading?.kind !== 'read') throw new Error(`it is ${reading?.kind}`);
  return reading.digest;
}

describe('a refresh', () => {
  it('names what is known otherwise than before, and only that', async () => {
    const { token, web, state, readings } = rig();
    const { digest } = readings.resolve(web, ROOT);
    expect(await readings.refresh(state, AT_ONCE)).toEqual([]);
    writeFileSync(token, 'secret2');
    expect(await readings.refresh(state, AT_ONCE)).toEqual([WEB]);
    expect(contentChanges(digest, digestOf(readings, web))).toEqual([
      { path: 'process.environment[TOKEN]', reference: '@file://token' },
    ]);
    rmSync(token);
    expect(await readings.refresh(state, AT_ONCE)).toEqual([WEB]);
    expect(readings.of(WEB)).toMatchObject({ kind: 'unreadable', reason: /No such file/ });
    expect(await readings.refresh(state, AT_ONCE)).toEqual([]);
    expect(await readings.refresh(stateOf(), AT_ONCE)).toEqual([]);
    expect(readings.names()).toEqual([]);
  });

  it('holds a change back until it is applied, and that once', async () => {
    const { token, web, state, readings } = rig();
    readings.resolve(web, ROOT);
    await readings.refresh(state, WAITING);
    expect(readings.of(WEB)).toMatchObject({ waits: false });
    writeFileSync(token, 'secret2');
    await readings.refresh(state, WAITING);
    expect(readings.of(WEB)).toMatchObject({ waits: true });
    expect(await readings.refresh(state, AT_ONCE)).toEqual([WEB]);
    expect(await readings.refresh(state, WAITING)).toEqual([]);
    expect(readings.of(WEB)).toMatchObject({ waits: false });
  });

  it('asks for no key where nothing is to be hashed', async () => {
    const { readings } = rig(() => {
      throw new Error('it was asked');
    });
    const plain = accepted({ environment: [{ name: 'A', value: '@hex://61' }] });
    await readings.refresh(stateOf(desired(plain)), AT_ONCE);
    expect(readings.resolve(plain, ROOT)).toEqual({
      variables: [{ name: 'A', value: 'a' }],
      digest: null,
    });
    expect(readings.names()).toEqual([]);
  });
});

it('what is half written is taken for nothing, unless it was asked for', async () => {
  const writes: string[] = [];
  const { token, web, state, readings } = rig(undefined, async () => {
    const next = writes.shift();
    if (next !== undefined) writeFileSync(token, next);
  });
  const { digest } = readings.resolve(web, ROOT);
  const look = { settled: false, waits: () => false };
  writeFileSync(token, '');
  writes.push('new');
  expect(await readings.refresh(state, look)).toEqual([]);
  expect(digestOf(readings, web)).toEqual(digest);
  expect(await readings.refresh(state, look)).toEqual([WEB]);
  expect(digestOf(readings, web)).not.toEqual(digest);
  expect(await readings.refresh(state, look)).toEqual([]);
  writeFileSync(token, '');
  expect(await readings.refresh(state, AT_ONCE)).toEqual([WEB]);
});

it('a look ahead remembers nothing', async () => {
  const { token, web, state, readings } = rig();
  readings.resolve(web, ROOT);
  const before = readings.of(WEB);
  writeFileSync(token, 'secret2');
  const foreseen = (await readings.peek(state)).get(WEB);
  expect(foreseen).not.toEqual(before);
  expect(readings.of(WEB)).toBe(before);
});

it('a start that cannot read is remembered as one', () => {
  const { token, web, readings } = rig();
  rmSync(token);
  expect(() => readings.resolve(web, ROOT)).toThrow(
    expect.objectContaining({ code: 'launch_failed', stage: 'environment', errno: 'ENOENT' }),
  );
  expect(readings.of(WEB)).toMatchObject({ kind: 'unreadable', restartHash: web.restartHash });
});

it('one value is hashed otherwise for each service and each key', () => {
  const { web, readings } = rig();
  const { digest } = readings.resolve(web, ROOT);
  const twin = { ...web, spec: { ...web.spec, name: name('twin') } };
  expect(readings.resolve(twin, ROOT).digest?.sources).not.toEqual(digest?.sources);
  const other = new EnvironmentReadings(
    () => Buffer.alloc(32, 2),
    async () => {},
  );
  const elsewhere = other.resolve(web, ROOT).digest;
  expect(elsewhere?.keyId).not.toBe(digest?.keyId);
  expect(elsewhere?.sources).not.toEqual(digest?.sources);
  expect(JSON.stringify([digest, elsewhere])).not.toContain('secret');
});
