import { every } from '../../queue/schedule.ts';
import type { Jobs, JobsContext } from '../faces.ts';
import { failAbandonedImports } from './employees.ts';
import { ABANDONED_IMPORTS_EVERY_MS } from './limits.ts';

export function jobs({ database }: JobsContext): Jobs {
  return { loops: [every(ABANDONED_IMPORTS_EVERY_MS, 'abandoned imports', () => failAbandonedImports(database))] };
}
