const EXIT_USAGE = 64;

/** What `read` makes of the arguments. When it throws, says why and how to call the program, and exits with 64. */
export function argumentsOrExit<T>(usage: string, read: (args: string[]) => T): T {
  try {
    return read(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usage}`);
    process.exit(EXIT_USAGE);
  }
}

/** @throws when one of the names in a list like `a,b` is unknown; undefined when no list was given */
export function namesIn(list: string | undefined, known: readonly string[]): readonly string[] | undefined {
  const names = list?.split(',');
  const unknown = names?.filter((name) => !known.includes(name)) ?? [];
  if (unknown.length > 0) throw new Error(`There is no ${unknown.join(', ')}. There are:\n  ${known.join('\n  ')}`);
  return names;
}

/** @throws when the text is not a whole number from 1 to `most` */
export function countIn(name: string, text: string, most: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0 && value <= most) return value;
  throw new Error(`--${name} is a whole number from 1 to ${most}, not ${JSON.stringify(text)}.`);
}
