/** What of a program its launcher needs to know. */
export interface Program {
  readonly name: string;
  readonly flags: readonly string[];
  readonly environment: readonly string[];
  /**
   * Signals that mean nothing to it until it listens to them, e.g. `HUP`: their default would end it
   * half-way. The launcher ignores them, the program's first statement handles them.
   */
  readonly ignoredSignals: readonly string[];
}

/**
 * The first lines of a bundled program: valid for sh and for Node at once.
 *
 * sh runs line 2 (`:` is its no-op) and is replaced by the project's own Node where that is
 * installed next to the program, by PATH's otherwise; `flags` reach V8 only on that command line.
 * For JavaScript line 2 is a directive and a comment, so `node dist/pmctl` works, too.
 *
 * @param environment assignments for this program alone, in sh's words, e.g. `A=1`
 * @param oldestNode `major.minor`; an older Node gets one line that says so.
 */
export function preamble(program: Program, oldestNode: string): string {
  const { name, ignoredSignals } = program;
  const tooOld = (found: string) =>
    `${name}: needs Node.js ${oldestNode} or newer, found ${found}` +
    ' (install one, e.g. from https://nodejs.org, and put it first in PATH)';
  return [
    '#!/bin/sh',
    `':' //; ${launcher(program, tooOld('none')).join('; ')}`,
    `'use strict';${handlers(ignoredSignals)}${versionGuard(oldestNode, tooOld('@'))}`,
  ].join('\n');
}

function launcher(
  { flags, environment, ignoredSignals }: Program,
  noNode: string,
): readonly string[] {
  return [
    // What is ignored is so across execve(2), until Node's own start puts it back to its default.
    ...(ignoredSignals.length === 0 ? [] : [`trap '' ${ignoredSignals.join(' ')}`]),
    // npm links programs into PATH; the Node beside the real file is the one that is wanted.
    'p=$0',
    'if [ -L "$p" ]; then p=$(readlink -f "$p"); fi',
    `case $p in */*) d=\${p%/*};; *) d=.;; esac`,
    'n=$d/../node_modules/node/bin/node',
    `f="${flags.join(' ')}"`,
    `if [ ! -x "$n" ]; then n=$(command -v node) || { echo "${noNode}" >&2; exit 1; }`,
    // A flag that this Node does not know would end it with a message of its own.
    ...(flags.length === 0 ? [] : ['"$n" $f -v >/dev/null 2>&1 || f=']),
    'fi',
    [...environment, 'exec "$n" $f "$p" "$@"'].join(' '),
  ];
}

/** Before what is bundled is evaluated, which takes as long as the start of Node. */
function handlers(signals: readonly string[]): string {
  return signals.map((signal) => `process.on("SIG${signal}",()=>{});`).join('');
}

/** Stands before everything else, so it runs even where the rest would not. */
function versionGuard(oldestNode: string, message: string): string {
  const [major, minor] = oldestNode.split('.');
  const line = JSON.stringify(`${message}\n`);
  return (
    '{const[a,b]=process.versions.node.split(".");' +
    `if(a<${major}||a==${major}&&b<${minor})` +
    `require("fs").writeSync(2,${line}.replace("@",process.version)),process.exit(1)}`
  );
}
