/** The rules that every statement is held to: see faults.ts. */
export type Rule = 'index-path' | 'bound' | 'offset' | 'organisation' | 'batch';

export interface Fault {
  readonly rule: Rule;
  /** Undefined where it is about the statement as a whole. */
  readonly table?: string;
  readonly text: string;
}
