import type { Jobs } from '../../../../src/modules/faces.ts';
import { countWritten } from './notes.ts';

export function jobs(): Jobs {
  return {
    topics: { 'note.written': (events, transaction) => countWritten(transaction, events) },
  };
}
