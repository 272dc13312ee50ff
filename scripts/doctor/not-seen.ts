import { sqlState } from '../../src/errors.ts';
import type { Finding } from './finding.ts';
import { STATEMENT_MS } from './limits.ts';
import { showMs } from './show.ts';

/** A question that the server refused costs its own answer, not the others'. @throws what is no server's refusal */
export function notSeen(check: string, error: unknown): Finding {
  const state = sqlState(error);
  // A Redis that says no throws a ReplyError, and one that goes away in the middle a plain Error.
  const isAnswer = state !== undefined || ['ReplyError', 'Error'].includes((error as Error).name);
  if (!isAnswer) throw error;
  const why = WHY_NOT[state ?? ''] ?? [(error as Error).message];
  return {
    check,
    level: 'advice',
    says: `not looked at: ${why[0]}`,
    ...(why[1] === undefined ? {} : { advice: why[1] }),
  };
}

const WHY_NOT: Record<string, [says: string, advice: string]> = {
  '42501': ['this role may not see it', 'let the doctor connect as a member of pg_monitor'],
  '55P03': ['a table is locked by somebody, and the doctor waits for nobody', 'ask again when the change is through'],
  '57014': [`the answer took longer than ${showMs(STATEMENT_MS)}`, 'ask again when the server is less busy'],
};
