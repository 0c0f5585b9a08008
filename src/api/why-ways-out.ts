import { markerPath } from '../model/provisioning.ts';
import type { Explanation } from '../rpc/explanation.ts';
import { adviceOnExit } from './why-exit.ts';
import { messageOf, placeOf, specInForce, type WhyFacts } from './why-facts.ts';
import { type WhyState, whyStateOf } from './why-state.ts';

type WayOut = Explanation['ways_out'][number];

/** What can be done about it, the most likely first. Pure. */
export function waysOut(facts: WhyFacts): readonly WayOut[] {
  const state = whyStateOf(facts.status.conditions);
  return [
    ...outOfTrouble(facts),
    ...outOfWaiting(facts),
    ...outOfUnreadable(facts),
    ...outOfProvisioning(facts),
    ...WAYS_OUT_OF_STATE[state](facts),
  ];
}

const none = () => [];

const WAYS_OUT_OF_STATE: { readonly [S in WhyState]: (facts: WhyFacts) => readonly WayOut[] } = {
  unknown: () => [byHand('see that the cgroup tree is mounted and readable')],
  stuck: () => [
    byHand('see what the process waits for (cat /proc/PID/stack): a disk or a network mount?'),
  ],
  stopping: none,
  unrecorded: (facts) => [pmctl(facts, 'restart', 'starts it anew, with a record')],
  'main-gone': (facts) => [pmctl(facts, 'restart', 'ends what is left and starts it anew')],
  running: none,
  starting: none,
  invalid: none,
  disabled: (facts) => [
    pmctl(facts, 'start --force', 'runs it all the same'),
    pmctl(facts, 'enable', `sets global.enabled in ${definedAt(facts, 'global.enabled')}`),
  ],
  stopped: (facts) => [pmctl(facts, 'start', 'lets it run again')],
  failed: (facts) => [
    ...adviceOnExit(facts),
    pmctl(facts, 'start', 'starts it now and forgets the failures'),
    ...outByChange(facts),
  ],
  backoff: (facts) => [
    ...adviceOnExit(facts),
    pmctl(facts, 'start', 'starts it now and forgets the failures'),
    pmctl(facts, 'stop', 'ends the tries'),
  ],
  scheduled: (facts) => [
    ...adviceOnExit(facts),
    pmctl(facts, 'run', 'runs it now, and shows its output'),
  ],
  provisioning: none,
  unprovisioned: none,
  completed: (facts) => [pmctl(facts, 'start', 'runs it again')],
  down: none,
};

/** Any change lifts an exhausted tolerance; a policy that is content is not asked again. */
function outByChange(facts: WhyFacts): readonly WayOut[] {
  if (!facts.status.history.failed) return [];
  const place = definedAt(facts, 'process', 'application');
  return [byHand(`change ${place}: a new definition starts it, too`)];
}

function outOfTrouble({ status }: WhyFacts): readonly WayOut[] {
  const trouble = status.desired?.trouble ?? null;
  switch (trouble?.kind) {
    case undefined:
      return [];
    case 'invalid': {
      const [{ file, line }] = trouble.problems;
      return [byHand(`mend ${line === null ? file : `${file}:${line}`}; it is read by itself`)];
    }
    case 'conflict':
      return [byHand(`keep one of ${trouble.files.join(', ')}`)];
    case 'held': {
      const folder = trouble.source.slice(trouble.source.indexOf(':') + 1);
      return [
        byHand(`restore the definitions in ${folder}`),
        { command: 'pmctl update --prune', hint: 'confirms the loss: stops all that is held' },
      ];
    }
  }
}

function outOfProvisioning(facts: WhyFacts): readonly WayOut[] {
  const spec = specInForce(facts.status)?.spec;
  const again = { command: 'pmctl update', hint: 'provisions again at once' };
  if (spec !== undefined && messageOf(facts.status, 'ProvisioningOutdated') !== null) {
    return [{ command: `rm ${markerPath(spec.workingDirectory)}`, hint: 'makes it due' }, again];
  }
  if (messageOf(facts.status, 'ProvisioningFailed') === null) return [];
  return [byHand(`mend what it says, or correct ${definedAt(facts, 'provisioning')}`), again];
}

function outOfWaiting({ status }: WhyFacts): readonly WayOut[] {
  if (messageOf(status, 'ChangePending') === null) return [];
  return [
    { command: 'pmctl diff', hint: 'shows what waits' },
    { command: 'pmctl update', hint: 'applies all that waits' },
  ];
}

function outOfUnreadable(facts: WhyFacts): readonly WayOut[] {
  if (messageOf(facts.status, 'EnvironmentUnreadable') === null) return [];
  const place = definedAt(facts, 'process.environment', 'process.env_file', 'process');
  return [byHand(`let the file be read again, or correct ${place}; pmctl update looks at once`)];
}

function pmctl({ status }: WhyFacts, what: string, hint: string): WayOut {
  const [verb, ...options] = what.split(' ');
  return { command: ['pmctl', verb, status.name, ...options].join(' '), hint };
}

function byHand(hint: string): WayOut {
  return { command: null, hint };
}

function definedAt(facts: WhyFacts, ...keys: readonly string[]): string {
  const file = specInForce(facts.status)?.sourceFile;
  return file === undefined ? 'its definition' : placeOf(facts, file, ...keys);
}
