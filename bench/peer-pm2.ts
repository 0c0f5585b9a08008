import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from './command.ts';
import type { Instance, Peer, Place } from './peer.ts';

const VERSION = '7.0.4';

/**
 * Pm2, installed from npm into `folder` (outside the tree: its licence and its dependencies stay
 * away from ours) and run by the same Node as everything else here.
 */
export async function pm2(folder: string, signal: AbortSignal): Promise<Peer> {
  const install = ['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts'];
  mkdirSync(folder);
  await run([...install, '--prefix', folder, `pm2@${VERSION}`], process.env, signal);
  const program = [process.execPath, join(folder, 'node_modules/pm2/bin/pm2')];
  return {
    name: 'pm2',
    version: VERSION,
    configure: (count, place) => configure(program, count, place),
  };
}

function configure(program: readonly string[], count: number, { folder }: Place): Instance {
  const ecosystem = join(folder, 'ecosystem.json');
  writeFileSync(ecosystem, JSON.stringify({ apps: applications(count, folder) }));
  return {
    launch: [...program, 'start', ecosystem],
    launchIs: 'client',
    pidFile: join(folder, 'pm2.pid'),
    helperCgroup: null,
    status: [...program, 'list'],
    environment: {
      PATH: `${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin`,
      HOME: folder,
      PM2_HOME: folder,
    },
  };
}

const applications = (count: number, folder: string) =>
  Array.from({ length: count }, (_, index) => ({
    name: `s${index}`,
    script: '/bin/sleep',
    args: 'infinity',
    interpreter: 'none',
    exec_mode: 'fork',
    cwd: folder,
  }));
