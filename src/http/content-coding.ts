import type { IncomingMessage } from 'node:http';
import { AppError } from '../errors.ts';
import type { App } from './app.ts';
import { isBodyRead } from './slow-client.ts';

/**
 * Bodies are read as they are. One that says it is compressed would be read as garbage, or, if it were decompressed, could
 * be a thousand times as large as what was sent. Register it before what waits for bodies.
 */
export function refuseCodedBodies(app: App): void {
  app.addHook('preParsing', (request, _reply, payload, done) => {
    const coding = isBodyRead(request.raw) ? codingOf(request.raw) : undefined;
    if (coding === undefined) done(null, payload);
    else done(new AppError('unsupported', `The body is sent with ${coding}. Send it as it is, without compression.`));
  });
}

function codingOf({ headers }: IncomingMessage): string | undefined {
  const { 'content-encoding': content = 'identity', 'transfer-encoding': transfer = 'chunked' } = headers;
  if (!/^(?:identity)?$/i.test(content.trim())) return 'a Content-Encoding';
  return /^chunked$/i.test(transfer.trim()) ? undefined : 'another Transfer-Encoding than chunked';
}
