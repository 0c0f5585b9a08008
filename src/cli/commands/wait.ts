import { type Invocation, json, type Output } from '../invocation.ts';
import { readTimeoutMs } from '../option-values.ts';
import { UsageError } from '../usage-error.ts';

const TIMED_OUT = 7;
const FAILED = 1;

export async function run({ operands, values, format, call }: Invocation): Promise<Output> {
  const state = readState(values.for);
  const timeout_ms = readTimeoutMs('wait', values.timeout);
  const { services } = await call(
    'services.wait',
    { names: [...operands], state, timeout_ms },
    null,
  );
  const reached = services.filter((row) => row.reached);
  const gone = services.filter((row) => !row.reached && row.phase === null);
  const late = services.filter((row) => !row.reached && row.phase !== null);
  const stdout =
    format === 'json'
      ? json(services)
      : reached.map((row) => `${row.application}: ${state}\n`).join('');
  const stderr = [
    ...gone.map(
      ({ application }) =>
        `pmctl: ${application} will not be ${state}: it is not defined any more\n`,
    ),
    ...late.map(
      ({ application, phase, waited_ms }) =>
        `pmctl: ${application} is not ${state} after ${(waited_ms / 1_000).toFixed(1)} s: it is ${phase}\n  see: pmctl why ${application}\n`,
    ),
  ].join('');
  return { stdout, stderr, exitCode: gone.length > 0 ? FAILED : late.length > 0 ? TIMED_OUT : 0 };
}

function readState(value: string | true | undefined): 'running' | 'stopped' {
  const state = value ?? 'running';
  if (state === 'running' || state === 'stopped') return state;
  throw new UsageError('wait', `cannot wait for '${state}': expected running or stopped`);
}
