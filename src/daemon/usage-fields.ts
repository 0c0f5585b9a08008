import type { GaugeReading, Pressure } from '../host/cgroup-gauges.ts';
import type { UsageReading } from '../observers/resource-usage.ts';
import type { UsageFields } from '../rpc/usage-rows.ts';

/** What was read of the kernel in the words of the contract. */
export function usageFields(reading: UsageReading): UsageFields {
  return {
    at_monotonic_ms: reading.atMonotonicMs,
    ...cpuFields(reading),
    ...memoryFields(reading),
    io_read_bytes: reading.ioReadBytes,
    io_write_bytes: reading.ioWriteBytes,
    io_reads: reading.ioReads,
    io_writes: reading.ioWrites,
    pids: reading.pids,
    cpu_pressure: pressureFields(reading.cpuPressure),
    memory_pressure: pressureFields(reading.memoryPressure),
    io_pressure: pressureFields(reading.ioPressure),
  };
}

function cpuFields(reading: GaugeReading) {
  return {
    cpu_us: reading.cpuUs,
    cpu_user_us: reading.cpuUserUs,
    cpu_system_us: reading.cpuSystemUs,
    cpu_periods: reading.cpuPeriods,
    cpu_throttled_periods: reading.cpuThrottledPeriods,
    cpu_throttled_us: reading.cpuThrottledUs,
    cpu_limit_percent: reading.cpuLimitPercent,
  };
}

function memoryFields(reading: GaugeReading) {
  return {
    memory_bytes: reading.memoryBytes,
    memory_working_set_bytes: reading.memoryWorkingSetBytes,
    memory_anon_bytes: reading.memoryAnonBytes,
    memory_file_bytes: reading.memoryFileBytes,
    memory_peak_bytes: reading.memoryPeakBytes,
    memory_limit_bytes: reading.memoryLimitBytes,
    swap_bytes: reading.swapBytes,
  };
}

function pressureFields(pressure: Pressure | null) {
  if (pressure === null) return null;
  const { someAvg10, fullAvg10, someTotalUs } = pressure;
  return { some_avg10: someAvg10, full_avg10: fullAvg10, some_total_us: someTotalUs };
}
