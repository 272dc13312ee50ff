/** Edits the documents when modules are removed: text about things that no longer exist is removed too. */

const LINK = /\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g;

/** Removes table rows and list items that link to a file that does not exist. `exists` gets the path as written. */
export function withoutDeadLinks(text: string, exists: (target: string) => boolean): string {
  const isDead = (line: string) => [...line.matchAll(LINK)].some(([, target = '']) => !exists(target));
  return text
    .split('\n')
    .filter((line) => !(/^(?:\||\s*[-*] )/.test(line) && isDead(line)))
    .join('\n');
}

/** Removes everything between `<!-- sample -->` and `<!-- /sample -->`, including the markers. */
export function withoutSample(text: string): string {
  return text.replaceAll(/<!-- sample -->\n[\s\S]*?<!-- \/sample -->\n\n?/g, '');
}
