import { basename, dirname, extname } from 'node:path';
import { type AttributedContent, readAttributed } from '../host/trusted-file.ts';
import { messageOf } from '../lib/errors.ts';
import { valueAt } from '../model/config-issue.ts';
import type { Definition } from '../model/desired.ts';
import { textOf } from '../model/literal.ts';
import { interpretService } from '../model/service-definition.ts';
import { parseServiceName, type ServiceName } from '../model/service-name.ts';
import { parseYaml, sortProblems, type YamlDocument } from './yaml-document.ts';
import { MAX_FILE_BYTES } from './yaml-limits.ts';

/** What a service file takes from the source that it lies in. */
export interface ServiceFileContext {
  /** Set for auto services: the file's folder is working directory and, as here, name. */
  readonly folderName: ServiceName | null;
  /** These two apply where the file names neither user nor group. */
  readonly defaultUser: string | null;
  readonly defaultGroup: string | null;
}

/** Of the files of a config directory: nothing is taken from the source. */
const STANDALONE: ServiceFileContext = {
  folderName: null,
  defaultUser: null,
  defaultGroup: null,
};

/** Reads one service file (absolute path). Whatever is wrong with it is part of the result. */
export function readServiceFile(
  file: string,
  context: ServiceFileContext = STANDALONE,
): Definition {
  const fallback = context.folderName ?? nameFromPath(file);
  let read: AttributedContent;
  try {
    read = readAttributed(file, MAX_FILE_BYTES);
  } catch (error) {
    const problem = { file, line: null, column: null, keyPath: '', message: messageOf(error) };
    return { kind: 'invalid', name: fallback, file, problems: [problem] };
  }
  return readServiceDocument(file, parseYaml(file, read.content), context, read.isRootsOwn);
}

/** The same for a text that is not (yet) the file's. */
export function readServiceText(
  file: string,
  text: string,
  context: ServiceFileContext = STANDALONE,
): Definition {
  return readServiceDocument(file, parseYaml(file, Buffer.from(text)), context);
}

/** The definition of an auto service without a file: built-in defaults alone. */
export function defaultDefinition(
  folder: string,
  context: ServiceFileContext & { readonly folderName: ServiceName },
): Definition {
  return readServiceText(`${folder}/service.yml`, '{}', context);
}

/** The same for a document that was parsed already; see `AcceptedSpec.isRootsOwn` for that. */
export function readServiceDocument(
  file: string,
  { raw, problems: textProblems, locate }: YamlDocument,
  context: ServiceFileContext = STANDALONE,
  isRootsOwn = false,
): Definition {
  const fallback = context.folderName ?? nameFromPath(file);
  const interpreted = interpretService(raw ?? Object.create(null), {
    defaultName: fallback,
    requiredName: context.folderName,
    baseDirectory: dirname(file),
    defaultWorkingDirectory: context.folderName === null ? null : dirname(file),
    defaultUser: context.defaultUser,
    defaultGroup: context.defaultGroup,
  });
  // What half a document lacks is no news: the text has to be mended first.
  const issues = interpreted.ok || textProblems.length > 0 ? [] : interpreted.issues;
  const [first, ...rest] = sortProblems([...textProblems, ...issues.map(locate)]);
  if (first !== undefined) {
    const name = context.folderName ?? nameFromFile(raw) ?? fallback;
    return { kind: 'invalid', name, file, problems: [first, ...rest] };
  }
  if (!interpreted.ok) throw new Error('unreachable: an invalid definition without a problem');
  return { kind: 'valid', name: interpreted.value.name, file, spec: interpreted.value, isRootsOwn };
}

/** The file's stem, or the folder's name for `service.yml` and `service.yaml`. */
function nameFromPath(file: string): ServiceName | null {
  const stem = basename(file, extname(file));
  return parseServiceName(stem === 'service' ? basename(dirname(file)) : stem);
}

/** Also a broken document mostly still says what it is called. */
function nameFromFile(raw: unknown): ServiceName | null {
  return parseServiceName(textOf(valueAt(raw, ['application'])) ?? '');
}
