import { expect, it } from 'vitest';
import { renderMetrics } from '../../src/metrics/metric.ts';

it('renders every type as OpenMetrics wants it', () => {
  const text = renderMetrics([
    { name: 'pm_up', type: 'gauge', help: 'Up.', samples: [{ labels: {}, value: 1 }] },
    {
      name: 'pm_cpu_seconds',
      type: 'counter',
      unit: 'seconds',
      help: 'CPU.',
      samples: [{ labels: { service: 'web' }, value: 1.5 }],
    },
    {
      name: 'pm_build',
      type: 'info',
      help: 'Build.',
      samples: [{ labels: { version: '1' }, value: 1 }],
    },
  ]);
  expect(text).toBe(`# TYPE pm_up gauge
# HELP pm_up Up.
pm_up 1
# TYPE pm_cpu_seconds counter
# UNIT pm_cpu_seconds seconds
# HELP pm_cpu_seconds CPU.
pm_cpu_seconds_total{service="web"} 1.5
# TYPE pm_build info
# HELP pm_build Build.
pm_build_info{version="1"} 1
# EOF
`);
});

it('leaves out what is not known, and a metric of which nothing is', () => {
  const samples = [
    { labels: { service: 'web' }, value: null },
    { labels: { service: 'db' }, value: 0 },
  ];
  const known = { name: 'pm_a', type: 'gauge', help: 'A.', samples } as const;
  const unknown = { ...known, name: 'pm_b', samples: samples.slice(0, 1) };
  expect(renderMetrics([known, unknown])).toBe(
    '# TYPE pm_a gauge\n# HELP pm_a A.\npm_a{service="db"} 0\n# EOF\n',
  );
});

it('escapes what a label or a help may hold', () => {
  const samples = [{ labels: { kind: 'a"b\\c\nd' }, value: 1 }];
  expect(renderMetrics([{ name: 'pm_a', type: 'gauge', help: 'x\ny', samples }])).toBe(
    '# TYPE pm_a gauge\n# HELP pm_a x\\ny\npm_a{kind="a\\"b\\\\c\\nd"} 1\n# EOF\n',
  );
});
