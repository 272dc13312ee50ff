/** A fault to put into a copy of the product, and what the bench must say about it. */
export interface Plant {
  readonly name: string;
  /** From the project's root. */
  readonly file: string;
  /** What stands there and what to put in its place; each must be found exactly once. */
  readonly edits: readonly (readonly [search: string, replace: string])[];
  /** Those that should see it. */
  readonly scenarios: readonly string[];
  /** Among the reasons of the gate. */
  readonly expected: RegExp;
}

/** @throws when the text has changed: a plant that does nothing would prove nothing */
export function planted(text: string, { name, file, edits }: Plant): string {
  return edits.reduce((before, [search, replace]) => {
    const [head, tail, ...more] = before.split(search);
    if (head === undefined || tail === undefined || more.length > 0)
      throw new Error(`The plant ${name} looks for this in ${file}, exactly once; write it anew:\n${search}`);
    return head + replace + tail;
  }, text);
}
