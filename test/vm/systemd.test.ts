import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFailed } from 'vitest';
import { waitFor } from '../e2e/wait-for.ts';
import { command } from './command.ts';
import { define, inPhase, installUnit, UNIT, UNIT_CGROUP, unitProperty } from './unit.ts';

beforeAll(async () => {
  await installUnit();
  define('web', 'sleep 100000');
  define('once', 'sleep 100000');
});

beforeEach(() => {
  onTestFailed(async () => console.error(await command(`journalctl -n 60 --no-pager -u ${UNIT}`)));
});

afterAll(async () => {
  // The next boot shows that what is enabled starts, and that what was asked for has ended.
  await command(`systemctl enable --now ${UNIT}`);
  await inPhase('web', 'RUNNING');
  await command('pmctl stop once');
  writeFileSync('/project/wants-reboot', '');
});

describe('under systemd', () => {
  it('is active once it answers, and supervises below its own unit', async () => {
    await command(`systemctl start ${UNIT}`);
    await command('pmctl status');
    expect(await unitProperty('ActiveState')).toBe('active');
    await inPhase('web', 'RUNNING');
    expect(existsSync(`${UNIT_CGROUP}/processmaster/pm-web/cgroup.procs`)).toBe(true);
    const tree = await command(`systemd-cgls --no-pager -l -u ${UNIT}`);
    expect(tree).toMatch(/pm-web/);
    expect(tree).toMatch(/sleep 100000/);
  });

  it('is replaced by `systemctl reload` and `pmctl daemon restart`, and services run on', async () => {
    const { pids } = await inPhase('web', 'RUNNING');
    const mainPid = await unitProperty('MainPID');
    await command('pmctl daemon restart');
    await command(`systemctl reload ${UNIT}`);
    await waitFor(
      async () => {
        const events = await command('pmctl events -n 200').catch(() => '');
        return events.match(/is replaced by/g)?.length === 2;
      },
      { what: 'two restarts', deadlineMs: 60_000 },
    );
    expect((await inPhase('web', 'RUNNING')).pids).toEqual(pids);
    expect(await unitProperty('MainPID')).toBe(mainPid);
    expect(await unitProperty('ActiveState')).toBe('active');
  });

  it('is started again after a SIGKILL and adopts what runs', async () => {
    const { pids } = await inPhase('web', 'RUNNING');
    const killed = await unitProperty('MainPID');
    await command(`systemctl kill -s KILL --kill-who=main ${UNIT}`);
    await waitFor(
      async () => {
        const now = await unitProperty('MainPID');
        return now !== killed && now !== '0' && (await unitProperty('ActiveState')) === 'active';
      },
      { what: 'another daemon', deadlineMs: 60_000 },
    );
    expect((await inPhase('web', 'RUNNING')).pids).toEqual(pids);
    expect(readFileSync(`/proc/${pids[0]}/cgroup`, 'utf8')).toMatch(
      /^0::\/system\.slice\/processmaster\.service\/processmaster\/pm-web$/m,
    );
  });

  it('stops every service with the unit', async () => {
    const { pids } = await inPhase('web', 'RUNNING');
    await command(`systemctl stop ${UNIT}`);
    expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(existsSync(UNIT_CGROUP)).toBe(false);
    expect(await unitProperty('Result')).toBe('success');
  });

  it('starts services anew with `systemctl restart`', async () => {
    await command(`systemctl start ${UNIT}`);
    const { pids } = await inPhase('web', 'RUNNING');
    await command(`systemctl restart ${UNIT}`);
    expect((await inPhase('web', 'RUNNING')).pids).not.toEqual(pids);
  });
});
