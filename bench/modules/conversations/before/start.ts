/**
 * The same product written the usual way, as the bottom of a ladder (rungs.ts): one process, one pool on the primary, a
 * transaction per answer, whole lists, mails from a loop. It stores what the product stores, on its tables, and speaks
 * its frames and routes, so that one generator drives both. The steps change one thing each.
 */
import { createServer } from 'node:http';
import type { Config } from '../../../../src/config.ts';
import type { Log } from '../../../../src/log.ts';
import { answersOneByOne } from './answers.ts';
import { createApi } from './api.ts';
import { giveTickets, serveChat } from './chat.ts';
import { openPool, readsOf } from './database.ts';
import { answersInGroups } from './grouped-answers.ts';
import { wholeLists } from './lists.ts';
import { startMailer } from './mailer.ts';
import { pagedLists } from './paged-lists.ts';
import { openReplicaReads } from './replica-reads.ts';
import { visit } from './visits.ts';

export const PARTS = ['api', 'chat', 'mailer'] as const;
export type Part = (typeof PARTS)[number];

/** `replica`: the dashboard reads there. `pages`: lists in pages. `groups`: answers share commits. */
export const STEPS = ['replica', 'pages', 'groups'] as const;
export type Step = (typeof STEPS)[number];

export interface BeforeOptions {
  readonly parts: readonly Part[];
  readonly steps: readonly Step[];
}

/** Resolves when all of its parts can be asked. */
export async function startBefore(config: Config, log: Log, { parts, steps }: BeforeOptions) {
  const pool = openPool(config.databaseMigrateUrl);
  const endings: (() => unknown)[] = [];

  if (parts.includes('api')) {
    const replica = steps.includes('replica') ? openReplicaReads(config, log) : undefined;
    const read = replica?.read ?? readsOf(pool);
    const readList = steps.includes('pages') ? pagedLists(read, config.secretKey) : wholeLists(read);
    const api = createApi({ pool, read, readList });
    await api.listen({ host: config.host, port: config.apiPort });
    endings.push(() => api.close(), ...(replica === undefined ? [] : [replica.close]));
  }

  if (parts.includes('chat')) {
    const server = await answering(config.host, config.chatPort);
    const sockets = serveChat({
      server,
      secretKey: config.secretKey,
      log,
      visit: (orgId, reachOutId, lastSeq) => visit(pool, orgId, reachOutId, lastSeq),
      storeAnswer: steps.includes('groups') ? answersInGroups(pool) : answersOneByOne(pool),
    });
    endings.push(() => {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      server.close();
    });
  }

  if (parts.includes('mailer')) {
    const mailer = startMailer(pool, config, log);
    const server = await answering(config.host, config.mailerPort);
    endings.push(mailer.stop, () => server.close());
  }

  return {
    async stop(): Promise<void> {
      for (const end of endings) await end();
      await pool.end();
    },
  };
}

/** Whoever asks is told that it runs. */
async function answering(host: string, port: number) {
  const server = createServer((request, response) =>
    request.method === 'POST'
      ? void giveTickets(request, response).catch(() => response.destroy())
      : response.end('ready'),
  );
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  return server;
}
