/** What `npm run verify` found out about one rule. */
export interface Verdict {
  readonly module: string;
  /** What should hold, in words. */
  readonly rule: string;
  /** Rows for which it does not, in words, at most FAULTS_SHOWN_MAX; empty when it holds. */
  readonly faults: readonly string[];
  readonly ms: number;
}

export function showVerdicts(verdicts: readonly Verdict[]): string {
  const lines = verdicts.flatMap(({ module, rule, faults, ms }) => [
    `${(faults.length === 0 ? 'ok' : 'WRONG').padEnd(8)}${module.padEnd(15)}${rule} (${Math.round(ms)} ms)`,
    ...faults.map((fault) => `${' '.repeat(23)}-> ${fault}`),
  ]);
  const wrong = verdicts.filter(({ faults }) => faults.length > 0).length;
  const end = wrong === 0 ? `All ${verdicts.length} rules hold.` : `${wrong} of ${verdicts.length} rules do not hold.`;
  return [...lines, '', end].join('\n');
}
