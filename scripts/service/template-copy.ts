/** Copies the files of template/ to their places in the project, with another noun and adjusted imports. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { inNoun, type Noun } from './noun.ts';

const TEMPLATE = 'template';

/** Returns the files that were written. `number` is the migration's, for example `0008`. */
export function copyTemplate(root: string, noun: Noun, number: string, files: readonly string[]): string[] {
  // The snapshot of its statements is generated.
  const sources = files.filter((file) => file.startsWith(`${TEMPLATE}/`) && !file.endsWith('/queries.sql'));
  const targetOf = (file: string) => placeOf(file, noun, number);
  return sources.map((source) => {
    const target = targetOf(source);
    const text = readFileSync(path.join(root, source), 'utf8');
    mkdirSync(path.dirname(path.join(root, target)), { recursive: true });
    writeFileSync(path.join(root, target), inNoun(withImports(text, source, targetOf), noun));
    return target;
  });
}

/** `template/src/modules/notes/notes.ts` to `src/modules/invoices/invoices.ts`. */
function placeOf(file: string, noun: Noun, number: string): string {
  const place = inNoun(file.slice(TEMPLATE.length + 1), noun);
  return place.replace(/^migrations\//, `migrations/${number}-`);
}

/** Adjusts relative paths, so that they lead from the new place to the same files, or to their copies. */
function withImports(text: string, source: string, targetOf: (file: string) => string): string {
  const from = path.posix.dirname(targetOf(source));
  return text.replaceAll(/'(\.\.?\/[^'\n]*\.(?:ts|js|sql))'/g, (_, specifier: string) => {
    const file = path.posix.normalize(path.posix.join(path.posix.dirname(source), specifier));
    const relative = path.posix.relative(from, file.startsWith(`${TEMPLATE}/`) ? targetOf(file) : file);
    return `'${relative.startsWith('.') ? relative : `./${relative}`}'`;
  });
}
