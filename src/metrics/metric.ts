/** One sample of a metric; a value of `null` is not known, and is left out. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | null;
}

export interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter' | 'info' | 'stateset';
  readonly help: string;
  /** The last word of the name, where the standard wants one: `seconds`, `bytes`. */
  readonly unit?: string;
  readonly samples: readonly Sample[];
}

/** What `Content-Type` says of {@link renderMetrics}. */
export const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** OpenMetrics 1.0 as text. A metric of which nothing is known is left out. Pure. */
export function renderMetrics(metrics: readonly Metric[]): string {
  return `${metrics.map(renderMetric).join('')}# EOF\n`;
}

const SUFFIX = { gauge: '', counter: '_total', info: '_info', stateset: '' } as const;

function renderMetric({ name, type, help, unit, samples }: Metric): string {
  const known = samples.filter(({ value }) => value !== null);
  if (known.length === 0) return '';
  const unitLine = unit === undefined ? '' : `# UNIT ${name} ${unit}\n`;
  const lines = known.map(
    ({ labels, value }) => `${name}${SUFFIX[type]}${renderLabels(labels)} ${value}\n`,
  );
  return `# TYPE ${name} ${type}\n${unitLine}# HELP ${name} ${escaped(help)}\n${lines.join('')}`;
}

function renderLabels(labels: Sample['labels']): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}
