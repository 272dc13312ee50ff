import { sqlState } from '../../src/errors.ts';
import type { Finding } from './finding.ts';
import { STATEMENT_MS } from './limits.ts';
import { showMs } from './show.ts';

/** A check whose query the server refused becomes a finding, and the others go on. @throws any other error */
export function notSeen(check: string, error: unknown): Finding {
  const state = sqlState(error);
  // If Redis rejects a command, ioredis throws a ReplyError; if the connection is lost, a plain Error.
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
  '42501': ['this role is not allowed to see it', 'connect as a member of pg_monitor'],
  '55P03': ['a table is locked, and the doctor does not wait for locks', 'run it again when the lock is released'],
  '57014': [`the answer took longer than ${showMs(STATEMENT_MS)}`, 'run it again when the server is less busy'],
};
