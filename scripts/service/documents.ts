/** What becomes of the documents when modules go: sentences about things that are gone go as well. */

const LINK = /\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g;

/** Without the table rows and list items that lead to a file which does not exist. `exists` takes the path as it is written. */
export function withoutDeadLinks(text: string, exists: (target: string) => boolean): string {
  const isDead = (line: string) => [...line.matchAll(LINK)].some(([, target = '']) => !exists(target));
  return text
    .split('\n')
    .filter((line) => !(/^(?:\||\s*[-*] )/.test(line) && isDead(line)))
    .join('\n');
}

/** Without everything between `<!-- sample -->` and `<!-- /sample -->`, and without the marks themselves. */
export function withoutSample(text: string): string {
  return text.replaceAll(/<!-- sample -->\n[\s\S]*?<!-- \/sample -->\n\n?/g, '');
}
