import type { Trouble } from '../model/desired.ts';
import type { Explanation } from '../rpc/explanation.ts';
import { lastEventAtMs, lineOf, specInForce, type WhyFacts } from './why-facts.ts';

type Definition = Explanation['definition'];
type Places = NonNullable<Definition['trouble']>['places'];

/** The definition in force, and what is wrong with the one that is there now. Pure. */
export function explainDefinition(facts: WhyFacts): Definition {
  const { desired } = facts.status;
  const accepted = specInForce(facts.status);
  const trouble = desired?.trouble ?? null;
  return {
    file: accepted?.sourceFile ?? null,
    generation: accepted?.generation ?? null,
    waiting: desired?.waiting ?? null,
    trouble: trouble && {
      kind: trouble.kind,
      at_ms: lastEventAtMs(facts, `definition.${trouble.kind}`),
      places: placesOf(trouble, facts),
    },
  };
}

function placesOf(trouble: Trouble, facts: WhyFacts): Places {
  switch (trouble.kind) {
    case 'invalid':
      return trouble.problems.map(({ file, line, column, keyPath, message }) => ({
        file,
        line,
        column,
        message: keyPath === '' ? message : `${keyPath}: ${message}`,
      }));
    case 'conflict':
      return trouble.files.map((file) => ({
        file,
        line: lineOf(facts, file, 'application'),
        column: null,
        message: `defines '${facts.status.name}'`,
      }));
    case 'held': {
      const file = facts.status.desired?.accepted?.sourceFile;
      const message = trouble.reason;
      return file === undefined ? [] : [{ file, line: null, column: null, message }];
    }
  }
}
