import type { Redis } from 'ioredis';
import type { Database } from '../../src/db/read-write-split.ts';
import { EVERY_ORGANISATION } from '../../src/db/tenant-isolation.ts';
import { createLogStorm } from '../../src/flow/log-storm.ts';
import { accessOf } from '../../src/modules/accounts/held-access.ts';
import type { Process } from '../../src/process/run-process.ts';
import { hearAccessNews } from '../../src/redis/access-news.ts';
import { type AccessWatch, watchAccess } from '../../src/socket/access-watch.ts';

/** Watches the access of those who opened sockets as somebody signed in. */
export function openAccessWatch({ log }: Process, database: Database, redis: Redis): AccessWatch {
  const watch = watchAccess({
    read: (holders) => accessOf(database.primary(EVERY_ORGANISATION), holders),
    onError: createLogStorm((fields, text) => log.error(fields, text), 'the access of open sockets was not checked'),
  });
  const deafen = hearAccessNews(redis, watch.heard);
  return {
    ...watch,
    close() {
      deafen();
      watch.close();
    },
  };
}
