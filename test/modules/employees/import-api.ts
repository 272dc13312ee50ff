import type { ApiClient } from '../../api-client.ts';
import type { RunningApi } from '../../running-api.ts';

export interface Import {
  readonly id: number;
  readonly status: 'waiting' | 'running' | 'done' | 'failed';
  readonly rowsRead: number;
  readonly rowsAdded: number;
  readonly rowsUpdated: number;
  readonly rowsUnchanged: number;
  readonly rowsRejected: number;
  readonly rejections: { line: number; reason: string }[];
  readonly error: string | null;
  readonly reading: object | null;
  readonly finishedAt: string | null;
}

export async function newImport(client: ApiClient): Promise<number> {
  const { status, body } = await client.send<Import>('POST', '/api/v1/imports', { fileName: 'people.csv' });
  if (status !== 201) throw new Error(`No import: ${status}`);
  return body.id;
}

/** A new import with this file: what the PUT answered, and how the import stands afterwards. */
export async function importFile(client: ApiClient, file: string | Uint8Array, type = 'text/csv', choices = '') {
  const id = await newImport(client);
  const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
  const put = await client.send<Import & { detail: string }>(
    'PUT',
    `/api/v1/imports/${id}/file${choices && `?${choices}`}`,
    file,
    headers,
  );
  return { put, kept: (await client.get<Import>(`/api/v1/imports/${id}`)).body };
}

export async function employeesOf(api: RunningApi, orgId: number) {
  const rows = await api.database.db
    .selectFrom('employees')
    .innerJoin('teams', 'teams.id', 'employees.team_id')
    .where('employees.org_id', '=', orgId)
    .select(['employees.name', 'employees.email', 'teams.name as team'])
    .orderBy('employees.email')
    .execute();
  return rows;
}

/** `count` good rows with a header. */
export function csvOf(count: number, name = (n: number) => `Person ${n}`): string {
  const rows = Array.from({ length: count }, (_, n) => `${name(n)},p${n}@a.test,Team ${n % 7}`);
  return `name,email,team\n${rows.join('\n')}\n`;
}
