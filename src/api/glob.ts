/** Whether a word is a pattern (`*`, `?`, `[a-z]`, `[!x]`) rather than a plain name. */
export function isGlob(word: string): boolean {
  return /[*?[]/.test(word);
}

type Matcher = '*' | ((character: string) => boolean);

/**
 * A test for names against a glob(7) pattern. Linear in both (one star is remembered, no regular
 * expression), so a hostile pattern costs nothing.
 */
export function globMatcher(pattern: string): (name: string) => boolean {
  const matchers = compile(pattern);
  return (name) => matches(matchers, name);
}

function matches(matchers: readonly Matcher[], name: string): boolean {
  let at = 0;
  let star = -1;
  let starFrom = 0;
  for (let index = 0; index < name.length; ) {
    const matcher = matchers[at];
    if (matcher === '*') {
      [star, starFrom] = [at, index];
      at += 1;
    } else if (matcher?.(name.charAt(index)) === true) {
      at += 1;
      index += 1;
    } else if (star === -1) {
      return false;
    } else {
      // The last star takes one character more.
      starFrom += 1;
      index = starFrom;
      at = star + 1;
    }
  }
  return matchers.slice(at).every((matcher) => matcher === '*');
}

function compile(pattern: string): readonly Matcher[] {
  const tokens = pattern.match(/\[[!^]?\]?[^\]]*\]|./gs) ?? [];
  return tokens.map((token) => {
    if (token === '*') return token;
    if (token === '?') return () => true;
    return token.length > 1 ? bracket(token.slice(1, -1)) : (character) => character === token;
  });
}

function bracket(content: string): (character: string) => boolean {
  const negated = /^[!^]/.test(content);
  const ranges = (negated ? content.slice(1) : content).match(/.-.|./gs) ?? [];
  return (character) =>
    negated !==
    ranges.some((range) => character >= range.charAt(0) && character <= (range.at(-1) ?? ''));
}
