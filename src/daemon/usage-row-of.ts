import type { Pressure } from '../host/cgroup-gauges.ts';
import type { ServiceName } from '../model/service-name.ts';
import type { UsageReading } from '../observers/resource-usage.ts';
import type { UsageRow } from '../rpc/usage-rows.ts';

/**
 * What was read of the kernel in the words of the contract. Made for each service each second: one object,
 * without others on the way.
 */
export function usageRowOf(
  application: ServiceName,
  run: number | null,
  { gauges, atMonotonicMs }: UsageReading,
): UsageRow {
  return {
    application,
    run,
    at_monotonic_ms: atMonotonicMs,
    cpu_us: gauges.cpuUs,
    cpu_user_us: gauges.cpuUserUs,
    cpu_system_us: gauges.cpuSystemUs,
    cpu_periods: gauges.cpuPeriods,
    cpu_throttled_periods: gauges.cpuThrottledPeriods,
    cpu_throttled_us: gauges.cpuThrottledUs,
    cpu_limit_percent: gauges.cpuLimitPercent,
    memory_bytes: gauges.memoryBytes,
    memory_working_set_bytes: gauges.memoryWorkingSetBytes,
    memory_anon_bytes: gauges.memoryAnonBytes,
    memory_file_bytes: gauges.memoryFileBytes,
    memory_peak_bytes: gauges.memoryPeakBytes,
    memory_limit_bytes: gauges.memoryLimitBytes,
    swap_bytes: gauges.swapBytes,
    io_read_bytes: gauges.ioReadBytes,
    io_write_bytes: gauges.ioWriteBytes,
    io_reads: gauges.ioReads,
    io_writes: gauges.ioWrites,
    pids: gauges.pids,
    cpu_pressure: pressureFields(gauges.cpuPressure),
    memory_pressure: pressureFields(gauges.memoryPressure),
    io_pressure: pressureFields(gauges.ioPressure),
  };
}

function pressureFields(pressure: Pressure | null) {
  if (pressure === null) return null;
  const { someAvg10, fullAvg10, someTotalUs } = pressure;
  return { some_avg10: someAvg10, full_avg10: fullAvg10, some_total_us: someTotalUs };
}
