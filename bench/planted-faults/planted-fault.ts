/** A fault to put into a copy of the product, and what the bench must say about it. */
export interface PlantedFault {
  readonly name: string;
  /** From the project's root. */
  readonly file: string;
  /** The text to replace, which must be there exactly once, and what replaces it. */
  readonly edits: readonly (readonly [search: string, replace: string])[];
  /** Those that should notice it. */
  readonly scenarios: readonly string[];
  /** Among the reasons of the gate. */
  readonly expected: RegExp;
}

/** @throws when the text has changed: a fault that is not there would prove nothing */
export function plant(text: string, { name, file, edits }: PlantedFault): string {
  return edits.reduce((before, [search, replace]) => {
    const [head, tail, ...more] = before.split(search);
    if (head === undefined || tail === undefined || more.length > 0)
      throw new Error(`The planted fault ${name} looks for this in ${file}, exactly once; write it anew:\n${search}`);
    return head + replace + tail;
  }, text);
}
