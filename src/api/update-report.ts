import type { DesiredService, DesiredState } from '../model/desired.ts';
import type { ContentChange } from '../model/environment-reading.ts';
import type { UpdateReport } from './ports.ts';

/** What changed from one desired state to the next, and all that is wrong with the latter. Pure. */
export function reportUpdate(
  before: DesiredState,
  after: DesiredState,
  contents: readonly ContentChange[] = [],
): UpdateReport {
  const services = [...after.services.values()];
  const generationBefore = ({ name }: DesiredService) =>
    before.services.get(name)?.accepted?.generation;
  const accepted = services.filter((service) => service.accepted !== null);
  const isNew = (service: DesiredService) => generationBefore(service) === undefined;
  const isChanged = (service: DesiredService) =>
    !isNew(service) && service.accepted?.generation !== generationBefore(service);
  return {
    accepted: accepted.filter(isNew).map(({ name }) => name),
    changed: accepted.filter(isChanged).map(({ name }) => name),
    removed: [...before.services.keys()].filter((name) => !after.services.has(name)),
    problems: [
      ...services.flatMap(({ trouble }) => (trouble?.kind === 'invalid' ? trouble.problems : [])),
      ...after.strayProblems,
    ],
    conflicts: services.flatMap(({ name, trouble }) =>
      trouble?.kind === 'conflict' ? [{ name, files: trouble.files }] : [],
    ),
    brakes: after.brakes,
    contents,
  };
}
