/** /modules.js, which the server makes of the modules that have pages: the index.js of each, see assets/app.js. */

interface Given {
  readonly session: Session;
  /** Aborts when the view is left. */
  readonly signal: AbortSignal;
}

export interface Session {
  readonly user: { readonly id: number; readonly name: string; readonly email: string; readonly role: string };
  readonly operator: boolean;
  readonly mayWrite: boolean;
}

type Summary = Readonly<Record<string, number>>;

interface PageModule {
  readonly links?: readonly { path: string; text: string; icon: string; roles?: readonly string[] }[];
  readonly views?: readonly { pattern: RegExp; view: (given: Given & { id: number }) => unknown }[];
  readonly styles?: readonly string[];
  readonly home?: {
    figures?: (summary: Summary) => unknown;
    panels?: (given: Given & { onSummary: (listener: (summary: Summary) => unknown) => void }) => unknown;
    isBusy?: (summary: Summary) => boolean;
  };
}

export const modules: readonly PageModule[];
