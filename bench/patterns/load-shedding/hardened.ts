import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { pino } from 'pino';
import { createAdmission } from '../../../src/http/load-shedding.ts';
import { createRefusals } from '../../../src/http/problem-details.ts';
import { createMetrics } from '../../../src/process/metrics.ts';
import type { Work } from './case.ts';

/** As many as can be answered in time; the others are told at once. */
export async function openServer(work: Work): Promise<Server> {
  const log = pino({ level: 'silent' });
  const admission = createAdmission({
    ...{ createRefusal: createRefusals({}, { count: () => undefined }), metrics: createMetrics('api'), log },
    organisationOf: () => 1,
    networkOf: () => '',
  });
  const server = createServer(
    admission.guard(async (request, response) => {
      admission.recognise(request, 1); // as the session of each
      await work();
      response.writeHead(200).end('page');
    }),
  );
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}
