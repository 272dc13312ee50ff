import type { Database } from '../../src/db/read-write-split.ts';
import type { Module } from '../../src/modules/faces.ts';
import { takeMailEvent } from '../../src/modules/suppressions/mail-events.ts';
import { networkOf } from '../../src/process/client-address.ts';
import { explain } from '../../src/process/listen.ts';
import type { Process } from '../../src/process/run-process.ts';
import { loadFeedbacks } from './modules.ts';

/** Takes bounces and complaints by SMTP, if there is a domain for them. Its parser is loaded only then. */
export async function receiveReports(process: Process, database: Database, modules: readonly Module[]): Promise<void> {
  const { config, log } = process;
  const { mailBounceDomain: domain, mailBouncePort: port, host, secretKey } = config;
  if (domain === undefined) return;
  const { mailBounceCertificate: path, mailBounceKey: key } = config;
  const certificate = path !== undefined && key !== undefined ? { certificate: path, key } : undefined;
  const { openReportReceiver } = await import('../../src/mail/report-receiver.ts');
  const explained = (error: NodeJS.ErrnoException) =>
    Promise.reject(explain(error, { host, port, variable: 'MAIL_BOUNCE_PORT' }));
  const feedbacks = await loadFeedbacks(modules);
  await process.open(
    'mail reports',
    () =>
      openReportReceiver({
        ...{ host, port, domain, secretKey, networkOf, certificate },
        async take(reference, event) {
          const isNew = await takeMailEvent(database, feedbacks, reference, event);
          log.info({ ...reference.target, kind: reference.kind, event: event.kind, isNew }, 'a mail was reported');
        },
        onFault: (error) => log.warn({ err: error }, 'a bounce could not be stored, or the certificate not be read'),
      }).catch(explained),
    ({ close }) => close(),
  );
}
