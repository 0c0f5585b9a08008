import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

describe('the machine', () => {
  it('has cgroup v2 alone, with every controller that the tests need', () => {
    const controllers = readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').trim().split(' ');
    expect(controllers).toEqual(expect.arrayContaining(['cpu', 'io', 'memory', 'pids']));
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toMatch(/ cgroup /);
  });

  it('has systemd as its first process, swap, and pressure stall information', () => {
    expect(readFileSync('/proc/1/comm', 'utf8')).toBe('systemd\n');
    expect(readFileSync('/proc/swaps', 'utf8').trim().split('\n')).toHaveLength(2);
    expect(readFileSync('/proc/pressure/memory', 'utf8')).toMatch(/^some avg10=/);
  });
});
