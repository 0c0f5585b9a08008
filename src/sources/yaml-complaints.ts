/** What the parser says, by what we say: what it is, and mostly what to do. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  // The parser recurses, so thousands of lists in lists ("- - - -") exhaust the stack.
  [/call stack|stack overflow/i, 'expected less nesting'],
  [/^Tabs are not allowed/, 'tabs are not allowed as indentation (use spaces)'],
  [
    /^Nested mappings are not allowed/,
    'another "key: value" cannot follow here (check the indentation; put a text that contains ": " in quotes)',
  ],
  [
    /^All (mapping|sequence) items must start/,
    'expected the same indentation as the lines before (or that of what is around them)',
  ],
  [
    /^Implicit (map )?keys? need/,
    'expected "key: value", got a line without ": " (check the indentation)',
  ],
  [/^Plain value cannot start with .* (.)$/, 'a value cannot begin with $1 (put it in quotes)'],
  [
    /^Unexpected (scalar|alias|map|seq|flow-collection)\b.* at node end/,
    'unexpected text after the value (put the whole value in quotes)',
  ],
  [/^Unexpected .* token in YAML stream: (".*")$/, 'unexpected $1'],
  [/^Flow map in .* end with a }/, 'expected a } that closes this map'],
  [/^Flow sequence in .* end with a \]/, 'expected a ] that closes this list'],
  [/^Missing , or : between flow map/, 'expected a comma between two entries'],
  [/^Missing , or : between flow seq/, 'expected a comma between two values'],
  [/^Missing closing (["'])quote/, 'expected a closing $1'],
  [
    /^Invalid escape sequence (.*)$/,
    'unknown escape $1 (write \\\\ for a backslash, or use single quotes)',
  ],
  [
    /^Unresolved tag: (?:tag:yaml.org,2002:)?(.*)$/,
    'unknown tag $1 (tags such as !secret mean nothing here)',
  ],
];

/** A complaint of the YAML parser in the words of this program; as it is where there are none. */
export function yamlComplaint(code: string, message: string): string {
  if (code === 'MULTIPLE_DOCS') return 'expected one document, got another "---"';
  for (const [pattern, words] of WORDS) {
    const match = pattern.exec(message);
    if (match !== null) return words.replace(/\$(\d)/g, (_, group) => match[Number(group)] ?? '');
  }
  return message;
}
