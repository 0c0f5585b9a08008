import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProcessmasterError } from '../src/lib/errors.ts';
import { commandExists, run } from './command.ts';
import type { Instance, Peer, Place } from './peer.ts';

const ENVIRONMENT = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

/**
 * Supervisord of the Debian package, which is installed when this is root on Debian.
 * Its own configuration and socket, nothing of the system's service.
 */
export async function supervisord(signal: AbortSignal): Promise<Peer> {
  if (!commandExists('supervisord')) await installPackage(signal);
  const { output } = await run(['supervisord', '--version'], ENVIRONMENT, signal);
  return { name: 'supervisord', version: output.trim(), configure };
}

async function installPackage(signal: AbortSignal): Promise<void> {
  if (process.getuid?.() !== 0 || !commandExists('apt-get')) {
    throw new ProcessmasterError(
      'not_found',
      `cannot measure 'supervisord': it is not installed (install it, or leave it out with --peers)`,
    );
  }
  const environment = { ...ENVIRONMENT, DEBIAN_FRONTEND: 'noninteractive' };
  await run(['apt-get', 'install', '-y', '-q', 'supervisor'], environment, signal);
  // The package starts its service and enables it at boot; only the program was wanted.
  await run(['service', 'supervisor', 'stop'], environment, signal);
  await run(['update-rc.d', 'supervisor', 'disable'], environment, signal);
}

function configure(count: number, { folder }: Place): Instance {
  const config = join(folder, 'supervisord.conf');
  const logs = join(folder, 'logs');
  mkdirSync(logs);
  writeFileSync(config, [daemonSection(folder, logs), ...programs(count)].join('\n'));
  return {
    launch: ['supervisord', '--nodaemon', '-c', config],
    launchIs: 'daemon',
    pidFile: null,
    helperCgroup: null,
    status: ['supervisorctl', '-c', config, 'status'],
    environment: ENVIRONMENT,
  };
}

// minfds: two pipes and two log files for each program, where the default allows 1024 in all.
const daemonSection = (folder: string, logs: string) => `[supervisord]
logfile=${folder}/supervisord.log
pidfile=${folder}/supervisord.pid
childlogdir=${logs}
user=root
minfds=8192
[unix_http_server]
file=${folder}/supervisor.sock
chmod=0700
[supervisorctl]
serverurl=unix://${folder}/supervisor.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
`;

const programs = (count: number) =>
  Array.from(
    { length: count },
    (_, index) => `[program:s${index}]\ncommand=/bin/sleep infinity\nautorestart=true\n`,
  );
