import type { Client } from '../../../../bench/load/client-memory.ts';
import { type List, listStep, nextPageStep, pageOf, rowOf } from '../../../../bench/load/list-steps.ts';
import {
  authorized,
  get,
  idOf,
  JSON_TYPE,
  type PlannedRequest,
  type StepContext,
  type Steps,
  write,
} from '../../../../bench/load/step.ts';

const NOTES: List = { route: 'GET /api/v1/notes', order: 'desc', kind: 'notes' };

export const NOTE_STEPS: Steps = {
  'GET /api/v1/notes': listStep(NOTES),
  'GET /api/v1/notes (next page)': nextPageStep(NOTES),
  'GET /api/v1/notes (open)': { needs: 'viewer', request: openNotes },
  'GET /api/v1/notes/{id}': { needs: 'viewer', request: readNote },
  'POST /api/v1/notes': { needs: 'admin', request: writeNote },
  'PATCH /api/v1/notes/{id}': { needs: 'admin', request: changeNote },
  'GET /api/v1/exports/notes.csv': { needs: 'admin', request: exportNotes },
};

/** Its cursors belong to the filter, so they are not kept for the list. */
function openNotes({ client }: StepContext): PlannedRequest {
  return { ...pageOf(client, NOTES, { suffix: ' (open)', query: '&status=open' }), remember: () => {} };
}

function readNote({ client, random }: StepContext): PlannedRequest {
  const kept = rowOf(client, NOTES, random);
  if (kept === undefined) return pageOf(client, NOTES);
  return {
    ...get('GET /api/v1/notes/{id}', `/api/v1/notes/${kept.id}`, authorized(client)),
    check: { name: 'object', args: { id: kept.id, kind: 'notes', orgId: client.orgId } },
  };
}

function writeNote({ client, unique }: StepContext): PlannedRequest {
  const title = `Load ${unique()}`;
  return {
    ...write(client, 'POST /api/v1/notes', '/api/v1/notes', { title, body: 'Under load.' }),
    expect: [201],
    check: { name: 'created', args: { fields: { title, status: 'open' }, kind: 'notes', orgId: client.orgId } },
    remember: ({ json }) => ownNotes(client).add({ id: idOf(json), version: 1 }),
    acknowledged: ({ json }) => [{ kind: 'note', orgId: client.orgId, id: idOf(json), title }],
  };
}

/** A note is taken out while it is being changed: nobody else here knows its version. */
function changeNote(context: StepContext): PlannedRequest {
  const { client } = context;
  const own = ownNotes(client).take();
  if (own === undefined) return writeNote(context);
  const version = own.version + 1;
  return {
    ...write(client, 'PATCH /api/v1/notes/{id}', `/api/v1/notes/${own.id}`, { status: 'done' }),
    headers: authorized(client, { ...JSON_TYPE, 'if-match': `"${own.version}"` }),
    check: { name: 'created', args: { id: own.id, fields: { status: 'done', version } } },
    remember: () => ownNotes(client).add({ id: own.id, version }),
  };
}

function exportNotes({ client }: StepContext): PlannedRequest {
  return {
    ...get('GET /api/v1/exports/notes.csv', '/api/v1/exports/notes.csv', authorized(client)),
    check: { name: 'text', args: { text: 'title,body,status' } },
  };
}

const ownNotes = (client: Client) => client.kept<{ id: number; version: number }>('own notes');
