import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ProcessmasterError } from '../src/lib/errors.ts';
import type { Instance, Peer, Place } from './peer.ts';

/** Processmaster as built into `dist/` of this tree. Throws `not_found` when it was not built. */
export function processmaster(tree: string): Peer {
  const daemon = join(tree, 'dist/processmaster');
  if (!existsSync(daemon)) {
    throw new ProcessmasterError(
      'not_found',
      `cannot measure 'processmaster': dist/processmaster is missing (run npm run build)`,
    );
  }
  const { version }: { version: string } = JSON.parse(
    readFileSync(join(tree, 'package.json'), 'utf8'),
  );
  return {
    name: 'processmaster',
    version,
    configure: (count, place) => configure(daemon, count, place),
  };
}

function configure(daemon: string, count: number, place: Place): Instance {
  const { folder } = place;
  const config = join(folder, 'config.yaml');
  const socket = join(folder, 'private', 'pm.sock');
  mkdirSync(join(folder, 'config.d'));
  mkdirSync(dirname(socket), { mode: 0o700 });
  writeFileSync(config, masterConfig(place, socket));
  for (let index = 0; index < count; index++) writeService(folder, `s${index}`);
  return {
    launch: [daemon, '-c', config],
    launchIs: 'daemon',
    pidFile: null,
    helperCgroup: join(place.cgroupMount, place.cgroupName, 'keeper'),
    status: [join(dirname(daemon), 'pmctl'), 'status'],
    environment: {
      PATH: `${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
      PMCTL_SOCK: socket,
    },
  };
}

const masterConfig = (
  { folder, runtimeFolder, cgroupMount, cgroupName }: Place,
  socket: string,
) => `
cgroup: {root: ${cgroupMount}, name: ${cgroupName}}
unix_socket: {path: ${socket}}
global:
  config_directory: ${folder}/config.d
  runtime_directory: ${runtimeFolder}
  state_directory: ${folder}/state
`;

// Each service in a folder of its own, because both of its streams are captured into it.
function writeService(folder: string, name: string): void {
  const workingDirectory = join(folder, 'work', name);
  mkdirSync(workingDirectory, { recursive: true });
  const definition = `process:
  working_directory: ${workingDirectory}
  start_command: [/bin/sleep, infinity]
restart_policy:
  restart_backoff_ms: 0
  tolerance: {max_restarts: 1000000, duration: 1m}
`;
  writeFileSync(join(folder, 'config.d', `${name}.yaml`), definition);
}
