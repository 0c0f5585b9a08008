import { BARE_NODE, type Metric, type Samples, type Subject } from './samples.ts';

/** A ratio of processmaster to a peer that is to be reached, or a figure where there is no peer. */
export interface Goal {
  readonly metric: Metric;
  readonly counts: readonly number[];
  readonly against: Subject | null;
  readonly atMost: number;
}

const all = [1, 100, 1000];

export const GOALS: readonly Goal[] = [
  { metric: 'spawnMs', counts: [1000], against: 'supervisord', atMost: 0.35 },
  { metric: 'spawnMs', counts: [1000], against: 'pm2', atMost: 0.4 },
  { metric: 'privateDirtyMib', counts: [1, 100], against: 'supervisord', atMost: 0.55 },
  { metric: 'privateDirtyMib', counts: [1000], against: 'supervisord', atMost: 0.5 },
  { metric: 'rssMib', counts: [1], against: BARE_NODE, atMost: 1.25 },
  { metric: 'rssMib', counts: [1000], against: 'pm2', atMost: 0.35 },
  { metric: 'statusMs', counts: [100], against: BARE_NODE, atMost: 1.3 },
  { metric: 'statusMs', counts: [1000], against: BARE_NODE, atMost: 1.8 },
  { metric: 'statusMs', counts: [100], against: 'supervisord', atMost: 0.3 },
  { metric: 'statusMs', counts: [1000], against: 'supervisord', atMost: 0.05 },
  { metric: 'restartMs', counts: all, against: null, atMost: 20 },
  { metric: 'restartMs', counts: all, against: 'supervisord', atMost: 0.02 },
  { metric: 'restartMs', counts: all, against: 'pm2', atMost: 1.7 },
  { metric: 'idleCpuMs', counts: [1000], against: 'supervisord', atMost: 0.1 },
  { metric: 'idleCpuMs', counts: [1000], against: 'pm2', atMost: 0.2 },
];

/** What was measured where the goal speaks of a ratio or a figure; null when it was not measured. */
export function reached(goal: Goal, count: number, samples: Samples): number | null {
  const ours = samples.median(goal.metric, 'processmaster', count);
  if (goal.against === null || ours === null) return ours;
  const theirs = samples.median(goal.metric, goal.against, count);
  return theirs === null ? null : ours / theirs;
}
