import { type Invocation, json, type Output } from '../invocation.ts';

/** Exit code where the asked state is not so, as of LSB and systemctl(1). */
const NOT_SO = 3;

/** One word a service, for scripts; `--quiet` leaves the exit code alone. */
export async function run({ operands, values, format, call }: Invocation): Promise<Output> {
  const { services } = await call('status.brief', { names: [...operands] });
  const rows = services.map(({ application, phase }) => ({
    application,
    phase,
    active: phase === 'RUNNING',
  }));
  const words = format === 'json' ? json(rows) : rows.map(({ phase }) => `${phase}\n`).join('');
  const isActive = rows.length > 0 && rows.every(({ active }) => active);
  const stdout = values.quiet === true ? '' : words;
  return { stdout, stderr: '', exitCode: isActive ? 0 : NOT_SO };
}
