import { describe, expect, it } from 'vitest';
import { victimOf } from '../../src/host/kernel-log.ts';

/** As Linux 6.1 and 6.18 write it to /dev/kmsg: level, number, time, flags; the text. */
const record = (memcg: string, task = 'python3') =>
  `6,1234,5678901,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=pm-hog,mems_allowed=0,oom_memcg=/pm/pm-hog,task_memcg=${memcg},task=${task},pid=4711,uid=0\n`;

describe('a record of the kernel about a lack of memory', () => {
  it.each([
    ['/pm/pm-hog', true],
    // The kernel writes it from the root of all, also for one who sees a part only.
    ['/machine.slice/c1/pm/pm-hog', true],
    ['/pm/pm-hog/inner', true],
    ['/pm/pm-hog2', false],
    ['/pm/pm-other', false],
    ['/other/pm-hog', false],
  ])('of a process in %s is of that cgroup: %s', (memcg, isOurs) => {
    const victim = victimOf(record(memcg), '/pm/pm-hog');
    expect(victim).toEqual(isOurs ? { pid: 4_711, name: 'python3' } : null);
  });

  it('names what has odd characters in its name', () => {
    expect(victimOf(record('/pm/pm-hog', 'a,b=c d'), '/pm/pm-hog')?.name).toBe('a,b=c d');
  });

  it('is told from others', () => {
    expect(victimOf('6,1,1,-;usb 1-1: new device', '/pm/pm-hog')).toBeNull();
  });
});
