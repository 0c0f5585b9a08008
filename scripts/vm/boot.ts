import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { mustRun } from '../run.ts';
import type { VmImage } from './image.ts';

const MEMORY_MIB = 2048;
const SWAP_SIZE = '512M';
/** The suite stays well below; beyond it the machine hangs. */
const TIMEOUT_MS = 15 * 60_000;
const LAST_LINE = /vm: ended with (\d+)$/;

export interface BootOptions {
  readonly image: VmImage;
  readonly projectDisk: string;
  /** For the swap disk. */
  readonly swapFolder: string;
  /** The machine's own words go to `console.log` in it, the tests' results to `report.jsonl`. */
  readonly reports: string;
}

/**
 * Boots the machine in software emulation (works everywhere, also inside of other machines), shows
 * what the tests print, and gives the exit code that they ended with; 1 when they did not.
 */
export async function bootVm(options: BootOptions): Promise<number> {
  const swap = join(options.swapFolder, 'swap.img');
  await mustRun(['truncate', '-s', SWAP_SIZE, swap]);
  await mustRun(['mkswap', swap], { stdio: 'ignore' });
  const machine = spawn('qemu-system-x86_64', qemuArguments(options, swap), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(machine, 'exit');
  const timer = setTimeout(() => {
    console.error(`the virtual machine did not end within ${TIMEOUT_MS / 60_000} minutes`);
    machine.kill('SIGKILL');
  }, TIMEOUT_MS);
  const stop = () => machine.kill('SIGKILL');
  process.once('exit', stop);
  let code: number | null = null;
  for await (const line of createInterface({ input: machine.stdout })) {
    console.log(line);
    const last = LAST_LINE.exec(line.trim())?.[1];
    if (last !== undefined) code = Number(last);
  }
  await ended;
  clearTimeout(timer);
  process.off('exit', stop);
  if (code !== null) return code;
  console.error(
    `the tests in the virtual machine did not end; its last words: ${options.reports}/console.log`,
  );
  return 1;
}

function qemuArguments({ image, projectDisk, reports }: BootOptions, swap: string) {
  const disk = (file: string, more = '') => [
    '-drive',
    `file=${file},format=raw,if=virtio,cache=unsafe${more}`,
  ];
  return [
    ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', `${MEMORY_MIB}`],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-nic', 'none'],
    ...['-kernel', image.kernel, '-initrd', image.initrd],
    '-append',
    'root=/dev/vda rw console=ttyS0 psi=1 systemd.unified_cgroup_hierarchy=1 panic=-1 loglevel=4',
    ...disk(image.disk, ',snapshot=on'),
    ...disk(projectDisk),
    ...disk(swap),
    // First line: the kernel's; second: the tests'.
    ...['-serial', `file:${join(reports, 'console.log')}`, '-serial', 'stdio'],
    ...['-device', 'virtio-serial'],
    ...['-chardev', `file,id=report,path=${join(reports, 'report.jsonl')}`],
    ...['-device', 'virtserialport,chardev=report,name=report'],
  ];
}
