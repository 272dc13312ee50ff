/** Edits the list in src/modules.ts as text: an entry there is all it takes to add a module. */
import type { Module } from '../../src/modules/faces.ts';

export const LIST_FILE = 'src/modules.ts';

/** Adds it at the end, so that it can depend on every other module. */
export function withEntry(list: string, module: Module['name'], faces: readonly string[]): string {
  const lines = faces.map((face) => `    ${face}: () => import('./modules/${module}/${face}.ts'),\n`);
  const entry = `  {\n    name: '${module}',\n${lines.join('')}  },\n`;
  const { head, body, tail } = productOf(list);
  return `${head}${body}${entry}${tail}`;
}

export function withoutEntry(list: string, module: string): string {
  const { head, body, tail } = productOf(list);
  // An entry on several lines ends with the first `  },`; one on a single line ends there.
  const entry = new RegExp(
    `^  \\{ name: '${module}'.*\\},\\n|^  \\{\\n    name: '${module}',\\n(?:    .*\\n)*  \\},\\n`,
    'm',
  );
  if (!entry.test(body))
    throw new Error(`${LIST_FILE} has no entry for ${module} in the format that this command expects.`);
  const left = body.replace(entry, '');
  return `${head}${left === '\n' ? '' : left}${tail}`;
}

/** The text inside `PRODUCT = [ … ];`, in which each entry takes one or more lines. */
function productOf(list: string): { head: string; body: string; tail: string } {
  const match = /^([\s\S]*\nexport const PRODUCT: readonly Module\[\] = \[)(\n[\s\S]*?)?(\];\n[\s\S]*)$/.exec(list);
  if (match === null) throw new Error(`${LIST_FILE} has no list PRODUCT in the format that this command expects.`);
  const [, head = '', body = '\n', tail = ''] = match;
  return { head, body, tail };
}
