import path from 'node:path';
import { stackOwner } from './leftovers.ts';
import { loadSecrets } from './secrets.ts';
import { readStackFile } from './stack-file.ts';
import { chooseWorkerPorts, workerEnvironment } from './worker-environment.ts';

/**
 * The environment for an additional worker, on free ports, of the stack that is running in `folder`; undefined if none
 * is. Variables set in `outer` win. Links in mails and pages stay the stack's own, whatever port this worker listens
 * on.
 */
export async function runningStackEnvironment(
  folder: string,
  outer: NodeJS.ProcessEnv,
): Promise<NodeJS.ProcessEnv | undefined> {
  const stack = stackOwner(folder) === undefined ? undefined : readStackFile(folder);
  if (stack === undefined) return undefined;
  const environment = workerEnvironment(
    {
      databaseUrl: outer.DATABASE_MIGRATE_URL || outer.DATABASE_URL || stack.databaseUrl,
      workerDatabaseUrl: outer.DATABASE_URL || stack.workerDatabaseUrl,
      workerDatabaseReplicaUrl: outer.DATABASE_REPLICA_URL || stack.workerDatabaseReplicaUrl,
      redisUrl: outer.REDIS_URL || stack.redisUrl,
      smtpUrl: outer.SMTP_URL || stack.smtpUrl,
      operators: stack.operators,
      secretKey: loadSecrets(path.resolve(folder)).secretKey,
      ports: await chooseWorkerPorts(),
    },
    outer,
  );
  const ports = Object.fromEntries(PORTS.filter((name) => outer[name]).map((name) => [name, outer[name]]));
  return { ...environment, API_URL: stack.urls.api, CHAT_URL: stack.urls.chat, ...ports };
}

const PORTS = ['API_PORT', 'CHAT_PORT', 'MAILER_PORT'];
