import { join } from 'node:path';
import { buildIfStale } from './build.ts';
import { missingForDaemon } from './requirements.ts';
import { projectRoot } from './run.ts';

const config = join(projectRoot, 'examples/config.yaml');
const program = join(projectRoot, 'dist/processmaster');

const lacks = await missingForDaemon('npm start');
for (const lack of lacks) console.error(`cannot start processmaster: it ${lack}`);
if (lacks.length > 0) process.exit(1);

await buildIfStale();
console.log(`
processmaster runs in this terminal until Ctrl-C, on
  master config  ${config}
  services       ${join(projectRoot, 'examples/config.d')}/*.yaml
                 ${join(projectRoot, 'examples/auto_services')}/*/
  socket         /run/processmaster/processmaster.sock

In another shell${process.env.SUDO_USER === undefined ? '' : ' (a root one: sudo -s)'}, try
  export PATH="${join(projectRoot, 'dist')}:$PATH"
  cd "${join(projectRoot, 'examples')}"
  pmctl status
  cp web.yaml config.d/        # nginx; then: pmctl status web, curl http://127.0.0.1:18080/
  pmctl logs web -n 20
  rm config.d/web.yaml         # and it is gone
`);

// From here on this process is the daemon: signals and exit code need no passing on.
process.execve?.(program, [program, '-c', config], process.env);
