import { describe, expect, it } from 'vitest';
import { changedFields, type FieldClass, restartHash } from '../../src/model/restart-hash.ts';
import type { ServiceSpec } from '../../src/model/service-spec.ts';
import { entry, job, spec } from '../builders/specs.ts';

const BEFORE = spec();

/** One other value for each field. A new field of the spec does not compile until it has a line. */
const CHANGES: {
  readonly [K in keyof Omit<ServiceSpec, 'name'>]: readonly [ServiceSpec[K], FieldClass];
} = {
  description: ['shop', 'live'],
  labels: [{ tier: '1' }, 'live'],
  enabled: [false, 'live'],
  workingDirectory: ['/srv/other', 'restart'],
  startCommand: [['./run.sh', 'x'], 'restart'],
  stop: [{ kind: 'signal', signal: 'SIGINT' }, 'live'],
  stopGraceMs: [1, 'live'],
  user: ['nobody', 'restart'],
  group: ['nogroup', 'restart'],
  environment: [[{ name: 'A', value: 'b' }], 'restart'],
  environmentFiles: [[{ path: '/srv/web/.env', isOptional: false }], 'restart'],
  inheritEnvironment: [true, 'restart'],
  successExitCodes: [[0, 1], 'live'],
  umask: [0o077, 'restart'],
  nice: [5, 'restart'],
  oomScoreAdjust: [100, 'restart'],
  limits: [[{ name: 'nofile', soft: 1, hard: 1 }], 'restart'],
  noNewPrivileges: [true, 'restart'],
  ambientCapabilities: [['chown'], 'restart'],
  logs: [{ ...BEFORE.logs, stdout: '/var/log/x' }, 'restart'],
  resources: [{ ...BEFORE.resources, maxCpu: 100 }, 'live'],
  restart: [{ ...BEFORE.restart, backoffMs: 5 }, 'live'],
  job: [job(), 'live'],
  provisioning: [[entry()], 'live'],
};

describe('the class of a changed field', () => {
  it.each(Object.entries(CHANGES))('%s is told, and the hash follows it', (key, [value, cls]) => {
    const after = { ...BEFORE, [key]: value };
    const classes = changedFields(BEFORE, after).map(({ field }) => field.class);
    expect([...new Set(classes)]).toEqual([cls]);
    expect(restartHash(after) !== restartHash(BEFORE)).toBe(cls === 'restart');
  });

  it('is live for all of logs but the paths', () => {
    const settings: Partial<ServiceSpec['logs']> = {
      rotation: {
        mode: 'time',
        maxBytes: 1,
        backups: 1,
        frequency: 'weekly',
        maxAgeMs: 1,
        compress: false,
      },
      timestamps: true,
      maxTotalBytes: 1,
      hints: ['/srv/web/app.log'],
    };
    const after = spec({ logs: { ...BEFORE.logs, ...settings } });
    expect(changedFields(BEFORE, after).map(({ field }) => [field.path, field.class])).toEqual(
      [
        'rotation_mode',
        'rotation_size',
        'rotation_backups',
        'rotation_frequency',
        'rotation_max_age_ms',
        'compression_enabled',
        'timestamps',
        'max_total_size',
        'hints',
      ].map((key) => [`logs.${key}`, 'live']),
    );
    expect(restartHash(after)).toBe(restartHash(BEFORE));
  });

  it('names the key as files write it, with both values', () => {
    const after = spec({ nice: 3, restart: { toleranceMs: 1 } });
    expect(changedFields(BEFORE, after)).toEqual([
      { field: { path: 'process.nice', class: 'restart' }, before: 0, after: 3 },
      {
        field: { path: 'restart_policy.tolerance.duration', class: 'live' },
        before: 180_000,
        after: 1,
      },
    ]);
  });

  it('keeps the hash of a plain spec from release to release, so that an upgrade restarts nothing', () => {
    expect(restartHash(BEFORE)).toBe('3cbdf55286ff989b89e0abea596aec1b');
  });

  it('sees no change in a mere order of keys', () => {
    const reordered = {
      ...BEFORE,
      logs: Object.fromEntries(Object.entries(BEFORE.logs).reverse()),
    };
    const after = { ...Object.fromEntries(Object.entries(reordered).reverse()), name: BEFORE.name };
    expect(changedFields(BEFORE, { ...BEFORE, ...after })).toEqual([]);
    expect(restartHash({ ...BEFORE, ...after })).toBe(restartHash(BEFORE));
  });
});
