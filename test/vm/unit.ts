import { copyFileSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { waitFor } from '../e2e/wait-for.ts';
import { command } from './command.ts';

export const UNIT = 'processmaster.service';
const CONFIG_DIRECTORY = '/etc/processmaster/config.d';
/** Where systemd puts the unit's cgroup, and the instance within. */
export const UNIT_CGROUP = `/sys/fs/cgroup/system.slice/${UNIT}`;

/**
 * The shipped unit and the README's master config, as an administrator installs them.
 *
 * @param cgroup more keys of that section, as a flow mapping has them
 */
export async function installUnit({ cgroup = '' } = {}): Promise<void> {
  for (const program of ['processmaster', 'pmctl']) {
    const link = `/usr/local/bin/${program}`;
    if (!existsSync(link)) symlinkSync(`/project/dist/${program}`, link);
  }
  mkdirSync(CONFIG_DIRECTORY, { recursive: true });
  writeFileSync(
    '/etc/processmaster/config.yaml',
    `cgroup: {root: self, ${cgroup}}\nglobal:\n  config_directory: ./config.d\n`,
  );
  copyFileSync('/project/systemd/processmaster.service', `/etc/systemd/system/${UNIT}`);
  await command('systemctl daemon-reload');
}

/** @param processKey  one more key of the section `process` */
export function define(name: string, script: string, more = '', processKey = ''): void {
  const command = `start_command: [sh, -c, '${script}']`;
  writeFileSync(
    `${CONFIG_DIRECTORY}/${name}.yaml`,
    `process:\n  working_directory: /tmp\n  ${command}\n  ${processKey}\n${more}`,
  );
}

interface ShownRow {
  readonly phase: string;
  readonly pids: readonly number[];
  readonly main_pid: number | null;
  readonly last_exit: { readonly message: string } | null;
}

/** The row of `pmctl status` once it is in this phase. */
export async function inPhase(name: string, phase: string) {
  return waitFor(
    async () => {
      const text = await command(`pmctl status ${name} --format json`).catch(() => '[]');
      const [row] = JSON.parse(text) as ShownRow[];
      return row?.phase === phase && row;
    },
    { what: `${name} to be ${phase}`, deadlineMs: 60_000 },
  );
}

export async function unitProperty(property: string): Promise<string> {
  return (await command(`systemctl show ${UNIT} -p ${property} --value`)).trim();
}
