import { nearest } from '../lib/nearest.ts';
import { type Parsed, parsed, unparsed } from '../lib/parsed.ts';

/** capabilities(7), without `CAP_`. */
export const CAPABILITY_NAMES: readonly string[] = [
  'audit_control',
  'audit_read',
  'audit_write',
  'block_suspend',
  'bpf',
  'checkpoint_restore',
  'chown',
  'dac_override',
  'dac_read_search',
  'fowner',
  'fsetid',
  'ipc_lock',
  'ipc_owner',
  'kill',
  'lease',
  'linux_immutable',
  'mac_admin',
  'mac_override',
  'mknod',
  'net_admin',
  'net_bind_service',
  'net_broadcast',
  'net_raw',
  'perfmon',
  'setfcap',
  'setgid',
  'setpcap',
  'setuid',
  'sys_admin',
  'sys_boot',
  'sys_chroot',
  'sys_module',
  'sys_nice',
  'sys_pacct',
  'sys_ptrace',
  'sys_rawio',
  'sys_resource',
  'sys_time',
  'sys_tty_config',
  'syslog',
  'wake_alarm',
];

/** Reads `net_bind_service` or `CAP_NET_BIND_SERVICE`; gives the first form. */
export function parseCapabilityName(text: string): Parsed<string> {
  const name = text.toLowerCase().replace(/^cap_/, '');
  if (CAPABILITY_NAMES.includes(name)) return parsed(name);
  return unparsed(`a capability such as ${nearest(name, CAPABILITY_NAMES) ?? 'net_bind_service'}`);
}
