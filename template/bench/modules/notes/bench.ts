import { isCount } from '../../../../bench/load/checks.ts';
import type { ModuleBench } from '../../../../bench/module-bench.ts';
import { NOTE_HISTORY } from './history.ts';
import { NOTE_STEPS } from './steps.ts';

export const bench: ModuleBench = {
  steps: NOTE_STEPS,
  officeDay: {
    'GET /api/notes': 6,
    'GET /api/notes (next page)': 3,
    'GET /api/notes (open)': 3,
    'GET /api/notes/{id}': 5,
    'POST /api/notes': 2,
    'PATCH /api/notes/{id}': 2,
  },
  rare: { 'GET /api/exports/notes.csv': 1 },
  figures: { notesThisWeek: isCount },
  history: NOTE_HISTORY,
  growing: {
    'GET /api/notes': 'time',
    'GET /api/notes (next page)': 'time',
    'GET /api/notes (open)': 'time',
    'GET /api/exports/notes.csv': 'time per megabyte',
  },
  counted: () => import('./counted.ts'),
};
