import { existsSync } from 'node:fs';
import { access, constants, readFile, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { run } from './run.ts';

type PackageByProgram = Readonly<Record<string, string>>;

/** Programs that the tests run, and the Debian packages that bring them. */
export const TEST_PROGRAMS: PackageByProgram = {
  nginx: 'nginx-light',
  'redis-server': 'redis-server',
  setpriv: 'util-linux',
  'vim.tiny': 'vim-tiny',
  nano: 'nano',
  git: 'git',
  setcap: 'libcap2-bin',
  python3: 'python3',
  tmux: 'tmux',
  zsh: 'zsh',
  fish: 'fish',
  prometheus: 'prometheus',
  openssl: 'openssl',
};

/** What builds and boots the virtual machine of `npm run test:vm`. */
export const VM_PROGRAMS: PackageByProgram = {
  'qemu-system-x86_64': 'qemu-system-x86',
  debootstrap: 'debootstrap',
  mke2fs: 'e2fsprogs',
  mkswap: 'util-linux',
};

/** The programs that Debian starts as services of the same name. */
const UNITS = ['nginx', 'redis-server', 'prometheus'];

const POLICY = '/usr/sbin/policy-rc.d';

/**
 * Installs the programs that the tests run where they are missing and this is Debian or one of its
 * kin. Gives the names of those that are still missing, which on any other system are all of them.
 */
export async function installMissingPrograms(
  packageByProgram: PackageByProgram,
): Promise<readonly string[]> {
  const missing = await missingPrograms(packageByProgram);
  if (missing.length === 0 || !(await isDebian())) return missing;
  const packages = missing.map((program) => packageByProgram[program] ?? program);
  console.log(`installing ${packages.join(', ')}, which the tests run`);
  await withoutStartingServices(async () => {
    await apt('update', '-q');
    await apt('install', '-q', '-y', '--no-install-recommends', ...packages);
    // Nor at the next boot.
    const units = missing.filter((program) => UNITS.includes(program));
    if (units.length > 0 && existsSync('/run/systemd/system')) {
      await run(['systemctl', 'disable', ...units]);
    }
  });
  return missingPrograms(packageByProgram);
}

async function missingPrograms(packageByProgram: PackageByProgram): Promise<readonly string[]> {
  const programs = Object.keys(packageByProgram);
  const found = await Promise.all(programs.map(isInstalled));
  return programs.filter((_, index) => !found[index]);
}

async function isInstalled(program: string): Promise<boolean> {
  // Debian keeps daemons in sbin, which is not in everybody's PATH.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/bin'];
  const tries = folders.map((folder) => access(join(folder, program), constants.X_OK));
  return (await Promise.allSettled(tries)).some(({ status }) => status === 'fulfilled');
}

async function isDebian(): Promise<boolean> {
  const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID(?:_LIKE)?=.*\b(?:debian|ubuntu)\b/m.test(release);
}

/** A package's own service must not run: invoke-rc.d(8) asks this script, 101 forbids the action. */
async function withoutStartingServices(install: () => Promise<void>): Promise<void> {
  const isOurs = await writeFile(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' }).then(
    () => true,
    () => false,
  );
  try {
    await install();
  } finally {
    if (isOurs) await rm(POLICY);
  }
}

async function apt(...args: string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  const code = await run(['apt-get', ...args], { env });
  if (code !== 0) throw new Error(`cannot install packages: apt-get ${args[0]} ended with ${code}`);
}
