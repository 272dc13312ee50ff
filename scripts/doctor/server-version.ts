/** Whether the product starts on these servers at all. */
import { tooOld } from '../../src/db/server-version.ts';
import type { Finding } from './finding.ts';
import { databases, type Servers } from './servers.ts';

const check = 'server-version';

export async function serverVersion(servers: Servers): Promise<Finding[]> {
  return databases(servers).map(({ name, version, versionNumber }) => {
    const sentence = tooOld(`the ${name}`, { number: versionNumber, version });
    if (sentence === undefined) return { check, level: 'ok', says: `${name}: PostgreSQL ${version}` };
    const advice = 'upgrade it (pg_upgrade, or a new server by logical replication): no process starts like this';
    return { check, level: 'danger', says: sentence, advice };
  });
}
