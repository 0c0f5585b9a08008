// Loaded into the daemon by NODE_OPTIONS: at SIGWINCH, which no daemon has a use for, writes how late
// its event loop was since the last time, and begins anew.
const { writeFileSync, renameSync } = require('node:fs');
const { monitorEventLoopDelay } = require('node:perf_hooks');

const path = process.env.LOOP_DELAY_FILE;
// The keeper is started with the same environment.
if (path !== undefined && /\/processmaster$/.test(process.argv[1] ?? '')) {
  const delays = monitorEventLoopDelay({ resolution: 5 });
  delays.enable();
  process.on('SIGWINCH', () => {
    const inMs = (nanoseconds) => nanoseconds / 1e6;
    const found = { p99Ms: inMs(delays.percentile(99)), maxMs: inMs(delays.max) };
    delays.reset();
    writeFileSync(`${path}.new`, JSON.stringify(found));
    renameSync(`${path}.new`, path);
  });
}
