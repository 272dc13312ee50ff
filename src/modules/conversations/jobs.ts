import { every } from '../../queue/schedule.ts';
import type { Jobs, JobsContext } from '../faces.ts';
import { SCORING_EVERY_MS } from './limits.ts';
import { scoreAnswers } from './scoring.ts';

export function jobs({ database, log }: JobsContext): Jobs {
  return { loops: [every(SCORING_EVERY_MS, 'answer scores', (signal) => scoreAnswers(database, log, signal))] };
}
