import pLimit from 'p-limit';
import { AT_ONCE, type Run } from './case.ts';

/** First come, first served. */
export function createQueue(): Run {
  const places = pLimit(AT_ONCE);
  return (_key, work) => places(work);
}
