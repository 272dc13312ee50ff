import { type List, listStep, pageOf, rowOf } from '../../load/list-steps.ts';
import { authorized, get, idOf, type PlannedRequest, type StepContext, type Steps, write } from '../../load/step.ts';

const IMPORT_ROWS = 20;
const IMPORTS: List = { route: 'GET /api/v1/imports', order: 'desc', kind: 'imports' };

export const IMPORT_STEPS: Steps = {
  'GET /api/v1/imports': listStep(IMPORTS),
  'GET /api/v1/imports/{id}': { needs: 'viewer', request: importById },
  'POST /api/v1/imports': { needs: 'admin', request: announce },
  'POST /api/v1/imports/preview': { needs: 'admin', request: preview },
  'PUT /api/v1/imports/{id}/file': { needs: 'admin', request: sendFile },
};

function importById({ client, random }: StepContext): PlannedRequest {
  const kept = rowOf(client, IMPORTS, random);
  if (kept === undefined) return pageOf(client, IMPORTS);
  return {
    ...get('GET /api/v1/imports/{id}', `/api/v1/imports/${kept.id}`, authorized(client)),
    check: { name: 'object', args: { id: kept.id, kind: 'imports', orgId: client.orgId } },
  };
}

const ANNOUNCED = 'announced imports';

function announce({ client, unique }: StepContext): PlannedRequest {
  const fileName = `load-${unique()}.csv`;
  return {
    ...write(client, 'POST /api/v1/imports', '/api/v1/imports', { fileName }),
    expect: [201],
    check: { name: 'created', args: { fields: { fileName, status: 'waiting' }, kind: 'imports', orgId: client.orgId } },
    remember: ({ json }) => client.kept<number>(ANNOUNCED).add(idOf(json)),
  };
}

function preview({ client }: StepContext): PlannedRequest {
  const rows = Array.from({ length: IMPORT_ROWS }, (_, n) => `Preview ${n},preview.${n}@load.test,General`);
  return {
    ...write(client, 'POST /api/v1/imports/preview', '/api/v1/imports/preview'),
    headers: authorized(client, { 'content-type': 'text/csv' }),
    body: `name,email,team\n${rows.join('\n')}\n`,
    check: { name: 'preview', args: { rows: IMPORT_ROWS } },
  };
}

function sendFile(context: StepContext): PlannedRequest {
  const { client, unique } = context;
  const id = client.kept<number>(ANNOUNCED).take();
  if (id === undefined) return announce(context);
  const domain = client.domain ?? `org-${client.orgId}.test`;
  const people = Array.from({ length: IMPORT_ROWS }, () => {
    const name = `Load ${unique()}`;
    return { name, email: `${name.toLowerCase().replace(' ', '.')}@${domain}` };
  });
  const rows = people.map(({ name, email }) => `${name},${email},General`);
  return {
    ...write(client, 'PUT /api/v1/imports/{id}/file', `/api/v1/imports/${id}/file`),
    headers: authorized(client, { 'content-type': 'text/csv' }),
    body: `name,email,team\n${rows.join('\n')}\n`,
    check: { name: 'import', args: { rows: IMPORT_ROWS, id } },
    acknowledged: () => people.map((person) => ({ kind: 'employee', orgId: client.orgId, ...person })),
  };
}
