import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Definition } from '../../src/model/desired.ts';
import { readServiceFile } from '../../src/sources/service-file.ts';
import { entry, name, spec } from '../builders/specs.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pm-service-file-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(file: string, content: string | Buffer): string {
  const path = join(folder, file);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
}

function messages(definition: Definition): readonly string[] {
  return definition.kind === 'valid' ? [] : definition.problems.map(({ message }) => message);
}

function specOf(definition: Definition) {
  if (definition.kind === 'invalid') throw new Error(messages(definition).join('\n'));
  return definition.spec;
}

describe('a service file', () => {
  it('becomes a spec with every default filled in', () => {
    const file = write('web.yaml', 'process:\n  working_directory: /srv/web\n');
    expect(specOf(readServiceFile(file))).toEqual(spec());
  });

  it('becomes a spec with every key taken over', () => {
    expect(specOf(readServiceFile(join(FIXTURES, 'accepted-everything.yaml')))).toEqual({
      name: 'web',
      description: 'Serves 10 pages',
      labels: { canary: 'true', team: 'shop', tier: '1' },
      enabled: false,
      workingDirectory: join(FIXTURES, 'app'),
      startCommand: ['./server', '--port', '8080'],
      stop: { kind: 'command', argv: ['./stop.sh'] },
      stopGraceMs: 90_000,
      user: '1000',
      group: 'www-data',
      environment: [
        { name: 'DEBUG', value: 'true' },
        { name: 'EMPTY', value: '' },
        { name: 'VERSION', value: '1.10' },
        { name: 'a.b', value: 'x=y' },
      ],
      environmentFiles: [
        { path: join(FIXTURES, 'app/a.env'), isOptional: false },
        { path: '/etc/b.env', isOptional: true },
      ],
      inheritEnvironment: true,
      successExitCodes: [0, 3],
      umask: 0o077,
      nice: -5,
      oomScoreAdjust: 200,
      limits: [
        { name: 'core', soft: null, hard: null },
        { name: 'memlock', soft: 67_108_864, hard: 67_108_864 },
        { name: 'nofile', soft: 65_536, hard: 65_536 },
        { name: 'nproc', soft: 100, hard: null },
      ],
      noNewPrivileges: true,
      ambientCapabilities: ['chown', 'net_bind_service'],
      logs: {
        stdout: '/var/log/web.log',
        stderr: join(FIXTURES, 'app/err.log'),
        stopCommandStdout: join(FIXTURES, 'app/logs/stop_command_stdout.log'),
        stopCommandStderr: join(FIXTURES, 'app/logs/stop_command_stderr.log'),
        rotation: {
          mode: 'time',
          maxBytes: 64 * 1024 ** 2,
          backups: 0,
          frequency: 'weekly',
          maxAgeMs: 30 * 86_400_000,
          compress: false,
        },
        timestamps: true,
        maxTotalBytes: 1024 ** 3,
        hints: [join(FIXTURES, 'app/app.log'), '/var/log/other.log'],
      },
      resources: {
        maxCpu: 250,
        maxMemory: 64 * 1024 ** 2,
        memoryHigh: 48_000_000,
        maxSwap: 0,
        maxPids: 100,
        cpuWeight: 10,
        ioWeight: 500,
        ioBandwidth: [
          {
            device: '8:0',
            readBytesPerSecond: 1024 ** 2,
            writeBytesPerSecond: null,
            readIops: null,
            writeIops: 20,
          },
        ],
        oom: 'process',
      },
      job: null,
      restart: {
        policy: 'on-failure',
        backoffMs: 120_000,
        backoffMaxMs: 120_000,
        maxRestarts: 100,
        toleranceMs: 3_600_000,
      },
      provisioning: [
        { owner: 'web', group: '33', recursive: true, path: join(FIXTURES, 'app') },
        { path: join(FIXTURES, 'app/server'), addNetBindCapability: true },
        { path: '/var/cache/web' },
        { path: join(FIXTURES, 'app/..cache'), owner: '1000' },
        { path: join(FIXTURES, 'app/data') },
      ].map((changes) => entry({ owner: null, mode: 0o770, ...changes })),
    });
  });

  it.each([
    ['web.yml', 'web'],
    ['shop/service.yml', 'shop'],
    ['shop/service.yaml', 'shop'],
  ])('%s is called %s unless it says otherwise', (file, expected) => {
    const path = write(file, 'process: {working_directory: /srv}\n');
    expect(readServiceFile(path).name).toBe(expected);
    const named = write(file, 'application: other\nprocess: {working_directory: /srv}\n');
    expect(readServiceFile(named).name).toBe('other');
  });

  it('with a name that is none asks for one', () => {
    const file = write('my service.yaml', 'process: {working_directory: /srv}\n');
    expect(readServiceFile(file)).toMatchObject({ kind: 'invalid', name: null });
  });

  it('that is broken below its name still says what it is called', () => {
    const file = write('a.yaml', 'application: web\nprocess: {working_directory: [\n');
    expect(readServiceFile(file)).toMatchObject({ kind: 'invalid', name: 'web' });
  });

  it.each([
    ['a NUL byte', Buffer.from('process:\0'), /NUL byte/],
    ['UTF-16', Buffer.from('process:', 'utf16le'), /NUL byte/],
    ['invalid UTF-8', Buffer.from([0x61, 0x3a, 0x20, 0xff]), /UTF-8/],
    ['100,000 brackets', '['.repeat(100_000), /expected less nesting/],
    ['3,000 lists in lists', '- '.repeat(3_000), /expected less nesting/],
    ['1,000 aliases', `a: &a x\nb: [${'*a,'.repeat(1_000)}]`, /aliases/],
    ['a list that holds itself', 'process: &a [*a]', /within itself/],
    [
      '900 unknown keys',
      Array.from({ length: 900 }, (_, i) => `k${i}: 1`).join('\n'),
      /unknown key/,
    ],
  ])('with %s is refused in bounded time with a bounded list of problems', (_, content, why) => {
    const definition = readServiceFile(write('web.yaml', content));
    expect(definition).toMatchObject({ kind: 'invalid', name: 'web' });
    expect(messages(definition)[0]).toMatch(why);
    expect(messages(definition).length).toBeLessThanOrEqual(100);
  });

  it.each([
    ['of 10 MB', () => write('web.yaml', '#'.repeat(10_000_000))],
    ['that is a device', () => '/dev/zero'],
    ['that is a folder', () => folder],
    ['that is not there', () => join(folder, 'web.yaml')],
    [
      'that links to itself',
      () => {
        symlinkSync('web.yaml', join(folder, 'web.yaml'));
        return join(folder, 'web.yaml');
      },
    ],
  ])('%s is refused as a whole', (_, make) => {
    const definition = readServiceFile(make());
    expect(definition).toMatchObject({ kind: 'invalid', problems: [{ line: null }] });
    expect(messages(definition)[0]).not.toBe('');
  });

  it('keeps the values of its environment out of messages', () => {
    const file = write(
      'web.yaml',
      'process:\n  working_directory: /srv\n  environment: [{name: KEY, value: "s3cret\\0"}]\n',
    );
    expect(messages(readServiceFile(file))).toEqual(['expected a string, got another value']);
  });
});

describe('a service file of an auto service', () => {
  const context = { folderName: name('shop'), defaultUser: 'web', defaultGroup: 'www-data' };

  it('takes folder, name and account from where it lies', () => {
    const file = write('shop/service.yml', 'description: x\n');
    expect(specOf(readServiceFile(file, context))).toMatchObject({
      name: 'shop',
      workingDirectory: join(folder, 'shop'),
      user: 'web',
      group: 'www-data',
    });
  });

  it('that names a user or a group gets nothing of the default account', () => {
    const file = write('shop/service.yml', 'process: {group: adm}\n');
    expect(specOf(readServiceFile(file, context))).toMatchObject({ user: null, group: 'adm' });
  });

  it('must not call itself something else', () => {
    const file = write('shop/service.yml', 'application: web\n');
    const definition = readServiceFile(file, context);
    expect(definition).toMatchObject({ kind: 'invalid', name: 'shop' });
    expect(messages(definition)).toEqual(['expected "shop" (the name of its folder), got "web"']);
  });
});
