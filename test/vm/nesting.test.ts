import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../e2e/wait-for.ts';
import { command } from './command.ts';
import { inPhase, installUnit, UNIT, UNIT_CGROUP } from './unit.ts';

const MIDDLE = `${UNIT_CGROUP}/processmaster/pm-middle/second`;
const INNER = `${MIDDLE}/pm-inner/third`;
const CONFIGS = '/etc/processmaster/config.d';

/** A processmaster's files in `folder`; gives the definition that runs it as a service. */
function nested(folder: string, cgroup: string, resources: string): string {
  mkdirSync(`${folder}/config.d`, { recursive: true });
  writeFileSync(
    `${folder}/config.yaml`,
    `cgroup: {${cgroup}}\nglobal: {config_directory: ./config.d, runtime_directory: ./run, state_directory: ./state}\n`,
  );
  return `process: {working_directory: ${folder}, start_command: [/project/dist/processmaster, -c, ${folder}/config.yaml]}
resources: {oom: process, ${resources}}
`;
}

function script(text: string, resources: string): string {
  return `process: {working_directory: /tmp, start_command: [sh, -c, '${text}']}\nresources: {${resources}}\n`;
}

async function innerPmctl(...args: string[]): Promise<string> {
  const env = { ...process.env, PMCTL_SOCK: '/srv/inner/run/processmaster.sock' };
  const { stdout } = await promisify(execFile)('/project/dist/pmctl', args, { env });
  return stdout;
}

async function innerPids(service: string): Promise<readonly number[]> {
  const text = await innerPmctl('status', service, '--format', 'json').catch(() => '[]');
  const [row] = JSON.parse(text) as readonly { readonly pids: readonly number[] }[];
  return row?.pids ?? [];
}

beforeAll(async () => {
  await installUnit();
  const inner = nested('/srv/inner', 'root: self, name: third', 'max_memory: 300MiB');
  const middle = nested(
    '/srv/middle',
    `root: ${UNIT_CGROUP}/processmaster/pm-middle, name: second`,
    'max_cpu: 500m, max_memory: 600MiB',
  );
  writeFileSync('/srv/inner/config.d/spinner.yaml', script('while :; do :; done', 'max_cpu: 1.5'));
  writeFileSync('/srv/middle/config.d/inner.yaml', inner);
  writeFileSync(`${CONFIGS}/middle.yaml`, middle);
  await command(`systemctl start ${UNIT}`);
  await inPhase('middle', 'RUNNING');
  const runs = async () => (await innerPids('spinner')).length > 0;
  await waitFor(runs, { what: 'the innermost service', deadlineMs: 120_000 });
}, 180_000);

afterAll(async () => {
  writeFileSync(
    `${CONFIGS}/middle.yaml`,
    'global: {enabled: false}\nprocess: {working_directory: /srv}\n',
  );
  await command(`systemctl stop ${UNIT}`);
});

describe('an instance in a service of another, three deep', () => {
  it('has limits of its own at each level', () => {
    expect(read(`${UNIT_CGROUP}/processmaster/pm-middle/cpu.max`)).toBe('50000 100000');
    expect(read(`${MIDDLE}/pm-inner/memory.max`)).toBe('314572800');
    expect(read(`${INNER}/pm-spinner/cpu.max`)).toBe('150000 100000');
  });

  it('gets no more than the outer one has: half a core stays half a core', async () => {
    const file = `${INNER}/pm-spinner/cpu.stat`;
    const usedMs = () => Number(/usage_usec (\d+)/.exec(read(file))?.[1]) / 1_000;
    const before = { atMs: performance.now(), usedMs: usedMs() };
    const share = await waitFor(
      () => {
        const tookMs = performance.now() - before.atMs;
        return tookMs >= 8_000 && (usedMs() - before.usedMs) / tookMs;
      },
      { what: '8 s to go by', deadlineMs: 60_000 },
    );
    expect(share).toBeLessThan(0.55);
    expect(share).toBeGreaterThan(0.2);
  });

  it('loses what needs more memory than an outer one allows, and nothing beside it', async () => {
    const spinner = await innerPids('spinner');
    writeFileSync(
      '/srv/inner/config.d/hog.yaml',
      `${script('sleep 1; exec tail /dev/zero', 'max_memory: 1GiB, max_swap: 0')}restart_policy: {policy: never}\n`,
    );
    const isDead = async () =>
      /OOMKilled|SIGKILL/.test(await innerPmctl('status', 'hog').catch(() => ''));
    await waitFor(isDead, { what: 'the end of the hog', deadlineMs: 120_000 });
    expect(await innerPids('spinner')).toEqual(spinner);
  }, 150_000);

  it('ends as a whole with the stop of the outermost service', async () => {
    const [pid = 0] = await innerPids('spinner');
    expect(await command('pmctl stop middle')).toContain('0 killed');
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});

function read(file: string): string {
  return readFileSync(file, 'utf8').trim();
}
