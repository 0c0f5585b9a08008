/** What a run has used, all its processes together; `null` where the kernel does not count it. */
export interface RunUsage {
  readonly cpuMs: number | null;
  readonly peakMemoryBytes: number | null;
}
