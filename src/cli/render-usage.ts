import type { UsageRates } from '../rpc/usage-rates.ts';
import type { UsageRow } from '../rpc/usage-rows.ts';
import { formatBytes } from './format-bytes.ts';
import type { Terminal } from './invocation.ts';
import { type Column, type Row, renderTable } from './render-table.ts';

/** A reading with what was used since the one before. */
export type UsageSample = UsageRow & UsageRates;

const COLUMNS: readonly Column[] = [
  { header: 'NAME', shrinksTo: 8 },
  { header: 'CPU', alignRight: true },
  { header: 'THROTTLED', alignRight: true },
  { header: 'MEMORY', alignRight: true },
  { header: 'WORKING SET', alignRight: true },
  { header: 'LIMIT', alignRight: true },
  { header: 'SWAP', alignRight: true },
  { header: 'READ/s', alignRight: true },
  { header: 'WRITE/s', alignRight: true },
  { header: 'PIDS', alignRight: true },
  { header: 'WAITED CPU MEM IO', alignRight: true },
];

/** One line a service. What nobody counts here is blank, never 0. Pure. */
export function renderUsage(samples: readonly UsageSample[], terminal: Terminal): string {
  return samples.length === 0
    ? 'nothing of that runs\n'
    : renderTable(COLUMNS, samples.map(usageLine), terminal);
}

function usageLine(sample: UsageSample): Row {
  const pressures = [sample.cpu_pressure, sample.memory_pressure, sample.io_pressure];
  return {
    cells: [
      sample.application,
      percent(sample.cpu_percent),
      percent(sample.throttled_percent),
      bytes(sample.memory_bytes),
      bytes(sample.memory_working_set_bytes),
      bytes(sample.memory_limit_bytes),
      bytes(sample.swap_bytes),
      bytes(sample.io_read_bytes_per_s),
      bytes(sample.io_write_bytes_per_s),
      sample.pids === null ? '' : String(sample.pids),
      pressures.map((pressure) => percent(pressure?.some_avg10 ?? null) || '-').join(' '),
    ],
  };
}

function percent(value: number | null): string {
  return value === null ? '' : `${value.toFixed(1)}%`;
}

function bytes(count: number | null): string {
  return count === null ? '' : formatBytes(count);
}
