import type { LogSettings, RotationSpec, ServiceSpec } from './service-spec.ts';

/** How output is kept unless a definition says otherwise. */
export const DEFAULT_ROTATION: RotationSpec = {
  mode: 'size',
  maxBytes: 10_000_000,
  backups: 10,
  frequency: 'daily',
  maxAgeMs: null,
  compress: true,
};

/** The part of a spec that may change while output is written. */
export function logSettingsOf({ logs }: ServiceSpec): LogSettings {
  // A run that an earlier build began has a spec of that build, which knew none of this.
  const { rotation, timestamps, maxTotalBytes }: Partial<LogSettings> = logs;
  return {
    rotation: rotation ?? DEFAULT_ROTATION,
    timestamps: timestamps ?? false,
    maxTotalBytes: maxTotalBytes ?? null,
  };
}

/** Whether two settings come to the same. */
export function isSameLogSettings(one: LogSettings, other: LogSettings): boolean {
  return settingsKey(one) === settingsKey(other);
}

/** In one order of keys: one of them may have come over a socket. */
function settingsKey({ rotation, timestamps, maxTotalBytes }: LogSettings): string {
  const { mode, maxBytes, backups, frequency, maxAgeMs, compress } = rotation;
  return [mode, maxBytes, backups, frequency, maxAgeMs, compress, timestamps, maxTotalBytes].join();
}
