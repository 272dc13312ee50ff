import { get } from './read-steps.ts';
import { authorized, JSON_TYPE, type PlannedRequest, type StepContext, type Steps } from './step.ts';

const IMPORT_ROWS = 20;

export const IMPORT_STEPS: Steps = {
  'GET /api/imports': { needs: 'viewer', request: imports },
  'GET /api/imports/{id}': { needs: 'viewer', request: importById },
  'POST /api/imports': { needs: 'admin', request: announce },
  'PUT /api/imports/{id}/file': { needs: 'admin', request: sendFile },
};

function imports({ client }: StepContext): PlannedRequest {
  return {
    ...get('GET /api/imports', '/api/imports?limit=50', authorized(client)),
    check: { name: 'page', args: { limit: 50, order: 'desc', kind: 'imports', orgId: client.orgId } },
    remember({ json }) {
      for (const { id } of (json as { items: { id: number }[] }).items.slice(0, 10)) client.imports.add({ id });
    },
  };
}

function importById(context: StepContext): PlannedRequest {
  const { client, random } = context;
  const kept = client.imports.at(random.below(client.imports.size));
  if (kept === undefined) return imports(context);
  return {
    ...get('GET /api/imports/{id}', `/api/imports/${kept.id}`, authorized(client)),
    check: { name: 'object', args: { id: kept.id, kind: 'imports', orgId: client.orgId } },
  };
}

function announce({ client, unique }: StepContext): PlannedRequest {
  const fileName = `load-${unique()}.csv`;
  return {
    route: 'POST /api/imports',
    method: 'POST',
    path: '/api/imports',
    headers: authorized(client, JSON_TYPE),
    body: JSON.stringify({ fileName }),
    expect: [201],
    check: { name: 'created', args: { fields: { fileName, status: 'waiting' }, kind: 'imports', orgId: client.orgId } },
    remember: ({ json }) => client.announced.add({ id: (json as { id: number }).id }),
  };
}

function sendFile(context: StepContext): PlannedRequest {
  const { client, unique } = context;
  const announced = client.announced.take();
  if (announced === undefined) return announce(context);
  const domain = client.domain ?? `org-${client.orgId}.test`;
  const people = Array.from({ length: IMPORT_ROWS }, () => {
    const name = `Load ${unique()}`;
    return { name, email: `${name.toLowerCase().replace(' ', '.')}@${domain}` };
  });
  const rows = people.map(({ name, email }) => `${name},${email},General`);
  return {
    route: 'PUT /api/imports/{id}/file',
    method: 'PUT',
    path: `/api/imports/${announced.id}/file`,
    headers: authorized(client, { 'content-type': 'text/csv' }),
    body: `name,email,team\n${rows.join('\n')}\n`,
    expect: [200],
    check: { name: 'import', args: { rows: IMPORT_ROWS, id: announced.id } },
    remember: () => client.imports.add(announced),
    acknowledged: () => people.map((person) => ({ kind: 'employee', orgId: client.orgId, ...person })),
  };
}
