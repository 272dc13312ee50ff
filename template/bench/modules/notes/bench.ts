import { isCount } from '../../../../bench/load/checks.ts';
import type { ModuleBench } from '../../../../bench/module-bench.ts';
import { NOTE_HISTORY } from './history.ts';
import { NOTE_STEPS } from './steps.ts';

export const bench: ModuleBench = {
  steps: NOTE_STEPS,
  officeDay: {
    'GET /api/v1/notes': 6,
    'GET /api/v1/notes (next page)': 3,
    'GET /api/v1/notes (open)': 3,
    'GET /api/v1/notes/{id}': 5,
    'POST /api/v1/notes': 2,
    'PATCH /api/v1/notes/{id}': 2,
  },
  rare: { 'GET /api/v1/exports/notes.csv': 1 },
  figures: { notesThisWeek: isCount },
  history: NOTE_HISTORY,
  growing: {
    'GET /api/v1/notes': 'time',
    'GET /api/v1/notes (next page)': 'time',
    'GET /api/v1/notes (open)': 'time',
    'GET /api/v1/exports/notes.csv': 'time per megabyte',
  },
  counted: () => import('./counted.ts'),
};
