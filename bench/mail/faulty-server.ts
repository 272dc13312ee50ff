/** A mail server that keeps a record of every mail that it took, and answers as badly as a scenario wants it to. */
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { SMTPServer } from 'smtp-server';

/** `hangMs`: it answers well, but late. */
export type Fault = { readonly code: number; readonly words: string } | { readonly hangMs: number };

/** What is being answered: the address is only known from RCPT TO on. */
export type Faults = (command: 'MAIL FROM' | 'RCPT TO' | 'end', address: string) => Fault | undefined;

export interface Taken {
  readonly messageId: string;
  readonly to: string;
  /** Of performance.now(). */
  readonly at: number;
}

export interface FaultyServer {
  readonly url: string;
  /** Every mail that it decided to answer with 250, whether or not anybody was there to hear it. */
  readonly taken: readonly Taken[];
  /** How often it answered with each code other than 250. */
  readonly refusals: ReadonlyMap<number, number>;
  faults: Faults;
  stop(): Promise<void>;
}

export async function startFaultyServer(): Promise<FaultyServer> {
  const taken: Taken[] = [];
  const refusals = new Map<number, number>();
  const answer = async (fault: Fault | undefined): Promise<Error | null> => {
    if (fault === undefined) return null;
    if ('hangMs' in fault) {
      await sleep(fault.hangMs);
      return null;
    }
    refusals.set(fault.code, (refusals.get(fault.code) ?? 0) + 1);
    return Object.assign(new Error(fault.words), { responseCode: fault.code });
  };
  const smtp = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    onMailFrom: (_address, _session, done) => void answer(server.faults('MAIL FROM', '')).then(done),
    onRcptTo: ({ address }, _session, done) => void answer(server.faults('RCPT TO', address)).then(done),
    onData(stream, session, done) {
      const to = session.envelope.rcptTo[0]?.address ?? '';
      let head = '';
      stream.on('data', (chunk: Buffer) => {
        if (head.length < HEAD_CHARS_MAX) head += chunk.toString('latin1');
      });
      stream.on('end', async () => {
        const fault = await answer(server.faults('end', to));
        if (fault !== null) return done(fault);
        taken.push({ messageId: /^message-id:\s*(\S+)/im.exec(head)?.[1] ?? '', to, at: performance.now() });
        return done();
      });
    },
  });
  // A client that is killed breaks its connections.
  smtp.on('error', () => undefined);
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve));
  const { port } = smtp.server.address() as AddressInfo;
  const server: FaultyServer = {
    url: `smtp://127.0.0.1:${port}`,
    taken,
    refusals,
    faults: () => undefined,
    stop: () => new Promise((resolve) => smtp.close(() => resolve())),
  };
  return server;
}

/** The header of a mail of ours has about one kilobyte. */
const HEAD_CHARS_MAX = 8_192;
