import { existsSync, readFileSync, statSync } from 'node:fs';
import { availableControllers, type CgroupPath, writeControl } from '../host/cgroup.ts';
import { describeErrno, errnoOf, messageOf, ProcessmasterError } from '../lib/errors.ts';
import {
  type Control,
  controlsOf,
  NO_BANDWIDTH,
  type RefusedLimit,
  type Resources,
} from '../model/resources.ts';

/**
 * Writes a service's limits into its cgroup. One that cannot be had costs no other and is no error:
 * it is told.
 *
 * @param isNew the cgroup was just made, so it has the kernel's defaults
 */
export function writeLimits(
  cgroup: CgroupPath,
  resources: Resources,
  isNew: boolean,
): readonly RefusedLimit[] {
  const controls = controlsOf(resources).filter((control) => !(isNew && control.isDefault));
  const refused = controls.flatMap((control) => writeLimit(cgroup, control) ?? []);
  return isNew ? refused : [...refused, ...dropBandwidths(cgroup, controls)];
}

/** `null` when it is in force. */
export function writeLimit(cgroup: CgroupPath, control: Control): RefusedLimit | null {
  const { file, key, value, device, isDefault } = control;
  // What cannot be limited here is not limited anyway.
  if (!existsSync(`${cgroup}/${file}`)) return isDefault ? null : withoutFile(cgroup, control);
  try {
    const line = device === undefined ? value : `${deviceNumber(device)} ${value}`;
    writeControl(cgroup, file, line);
    return null;
  } catch (error) {
    const subject = device === undefined ? `'${value}'` : `'${value}' for '${device}'`;
    return { key, isUnsupported: false, reason: `${file} refuses ${subject}: ${whyNot(error)}` };
  }
}

const MISSING_FILES: Readonly<Record<string, string>> = {
  'io.weight': 'needs an io scheduler with weights (bfq, or io.cost)',
  'memory.swap.max': 'needs a kernel that accounts for swap',
};

function withoutFile(cgroup: CgroupPath, { file, key, controller }: Control): RefusedLimit | null {
  const isThere = availableControllers(cgroup).includes(controller);
  // It is the default of the key, which most say nothing about.
  if (key === 'resources.oom' && !isThere) return null;
  const why = isThere
    ? (MISSING_FILES[file] ?? 'needs a newer kernel')
    : `needs the ${controller} controller, which this cgroup does not have`;
  return { key, isUnsupported: true, reason: `${file} ${why}` };
}

function whyNot(error: unknown): string {
  const cause = error instanceof ProcessmasterError ? error.cause : error;
  const errno = errnoOf(cause);
  return errno === undefined ? messageOf(cause) : `${errno}: ${describeErrno(errno)}`;
}

/** Limits of devices that are not listed any more. */
function dropBandwidths(cgroup: CgroupPath, controls: readonly Control[]): readonly RefusedLimit[] {
  const wanted = controls.flatMap(({ device }) => {
    try {
      return device === undefined ? [] : [deviceNumber(device)];
    } catch {
      // It was told that this device is not there.
      return [];
    }
  });
  return limitedDevices(cgroup)
    .filter((device) => !wanted.includes(device))
    .flatMap((device) => {
      const control = { controller: 'io', file: 'io.max', device, value: NO_BANDWIDTH } as const;
      return (
        writeLimit(cgroup, { ...control, key: 'resources.io_bandwidth', isDefault: true }) ?? []
      );
    });
}

function limitedDevices(cgroup: CgroupPath): readonly string[] {
  const file = `${cgroup}/io.max`;
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n');
  return lines.map((line) => line.split(' ')[0] ?? '').filter((device) => device !== '');
}

const NUMBER = /^\d+:\d+$/;

/** `major:minor` of a block device, as makedev(3) packs it. @throws errno, or that it is none. */
function deviceNumber(device: string): string {
  if (NUMBER.test(device)) return device;
  const stats = statSync(device, { bigint: true });
  if (!stats.isBlockDevice()) throw new Error('it is no block device');
  const { rdev } = stats;
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return `${major}:${minor}`;
}
