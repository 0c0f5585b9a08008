import { parseDuration } from '../lib/duration.ts';
import { LEAST_FOR_MS, MOST_FOR_MS, reasonComplaint } from '../model/intent.ts';
import { UsageError } from './usage-error.ts';

type Value = string | true | undefined;

const MOST_LINES = 10_000;
const MOST_WAIT_MS = 86_400_000;
const MOST_TTL_MS = 3_650 * 86_400_000;

/** The value of an option that counts, or `preset` when it was not given. @throws UsageError */
export function readCount(command: string, option: string, value: Value, preset: number): number {
  if (value === undefined) return preset;
  const count = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : 0;
  if (count >= 1 && count <= MOST_LINES) return count;
  const why = `expected a whole number from 1 to ${MOST_LINES}`;
  throw new UsageError(command, `cannot use '${option} ${value}': ${why}`);
}

const LEAST_INTERVAL_MS = 100;
const MOST_INTERVAL_MS = 3_600_000;

/** The value of `--interval-ms`; a second when it was not given. @throws UsageError */
export function readIntervalMs(command: string, value: Value): number {
  if (value === undefined) return 1_000;
  const ms = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : 0;
  if (ms >= LEAST_INTERVAL_MS && ms <= MOST_INTERVAL_MS) return ms;
  const why = `expected a whole number of milliseconds from ${LEAST_INTERVAL_MS} to ${MOST_INTERVAL_MS}`;
  throw new UsageError(command, `cannot use '--interval-ms ${value}': ${why}`);
}

/** The value of `--ttl` in milliseconds; `null` when it was not given. @throws UsageError */
export function readTtlMs(command: string, value: Value): number | null {
  if (value === undefined) return null;
  const read = parseDuration(String(value));
  if (read.ok && read.value > 0 && read.value <= MOST_TTL_MS) return read.value;
  const expected = read.ok ? 'a time of more than nothing and at most 3650d' : read.expected;
  throw new UsageError(command, `cannot use '--ttl ${value}': expected ${expected}`);
}

const INSTANT = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?([Zz]|[+-]\d{2}:\d{2})?$/;

/**
 * The value of `--since` as wall time: a span before now, or a moment (local time without a zone);
 * `null` when it was not given. @throws UsageError
 */
export function readSinceMs(command: string, value: Value, nowMs: number): number | null {
  if (value === undefined) return null;
  const text = String(value);
  const span = parseDuration(text);
  if (span.ok) return Math.max(Math.trunc(nowMs - span.value), 0);
  const atMs = INSTANT.test(text) ? Date.parse(text.replace(' ', 'T')) : Number.NaN;
  if (atMs >= 0) return Math.trunc(atMs);
  const expected = `${span.expected}, or a time such as 2026-01-31T12:00:00Z`;
  throw new UsageError(command, `cannot use '--since ${value}': expected ${expected}`);
}

/** The value of `--timeout` in milliseconds; `null` when it was not given. @throws UsageError */
export function readTimeoutMs(command: string, value: Value): number | null {
  if (value === undefined) return null;
  const read = parseDuration(String(value));
  if (read.ok && read.value > 0 && read.value <= MOST_WAIT_MS) return read.value;
  const expected = read.ok ? 'a time of more than nothing and at most a day' : read.expected;
  throw new UsageError(command, `cannot use '--timeout ${value}': expected ${expected}`);
}

/** Whether to wait: `--wait` is the default, `--no-wait` the other. @throws UsageError for both */
export function readWait(command: string, values: Readonly<Record<string, Value>>): boolean {
  if (values.wait === true && values['no-wait'] === true) {
    throw new UsageError(command, "cannot use '--no-wait': --wait says the opposite");
  }
  return values['no-wait'] !== true;
}

/** The value of `--for` in milliseconds; nothing when it was not given. @throws UsageError */
export function readFor(command: string, value: Value): { readonly for_ms?: number } {
  if (value === undefined) return {};
  const read = parseDuration(String(value));
  if (read.ok && read.value >= LEAST_FOR_MS && read.value <= MOST_FOR_MS) {
    return { for_ms: read.value };
  }
  const expected = read.ok ? 'a time from 1s to 365d' : read.expected;
  throw new UsageError(command, `cannot use '--for ${value}': expected ${expected}`);
}

/** The value of `--reason`; nothing when it was not given. @throws UsageError */
export function readReason(command: string, value: Value): { readonly reason?: string } {
  if (value === undefined) return {};
  const complaint = reasonComplaint(String(value));
  if (complaint === null) return { reason: String(value) };
  throw new UsageError(command, `cannot use that '--reason': expected ${complaint}`);
}
