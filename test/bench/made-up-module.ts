import { isCount } from '../../bench/load/checks.ts';
import { type List, listStep, nextPageStep } from '../../bench/load/list-steps.ts';
import { idOf, type PlannedRequest, type StepContext, write } from '../../bench/load/step.ts';
import { createWorkload } from '../../bench/load/workload.ts';
import type { ModuleBench } from '../../bench/module-bench.ts';
import { bench as platform } from '../../bench/platform/bench.ts';

const NOTES: List = { route: 'GET /api/v1/notes', order: 'desc', kind: 'notes' };

/** The bench's part of a module that does not exist: the machinery must not need any that does. */
export const madeUpModule: ModuleBench = {
  steps: {
    'GET /api/v1/notes': listStep(NOTES),
    'GET /api/v1/notes (next page)': nextPageStep(NOTES),
    'POST /api/v1/notes': { needs: 'admin', request: create },
    'DELETE /api/v1/notes/{id}': { needs: 'admin', request: remove },
  },
  officeDay: { 'GET /api/v1/notes': 9, 'GET /api/v1/notes (next page)': 3, 'POST /api/v1/notes': 1 },
  rare: { 'DELETE /api/v1/notes/{id}': 2 },
  checks: { short: ({ bytes }) => (bytes.length < 100 ? undefined : 'it is long') },
  figures: { notes: isCount },
  socketMessages: ['socket note'],
};

export const workload = createWorkload([platform, madeUpModule]);

function create({ client, unique }: StepContext): PlannedRequest {
  const text = `Note ${unique()}`;
  return {
    ...write(client, 'POST /api/v1/notes', '/api/v1/notes', { text }),
    expect: [201],
    remember: ({ json }) => client.kept<number>('notes').add(idOf(json)),
  };
}

function remove(context: StepContext): PlannedRequest {
  const id = context.client.kept<number>('notes').take();
  if (id === undefined) return create(context);
  return { ...write(context.client, 'DELETE /api/v1/notes/{id}', `/api/v1/notes/${id}`), expect: [204] };
}
