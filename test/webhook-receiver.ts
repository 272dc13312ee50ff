import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ReceivedWebhook {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface WebhookReceiver {
  readonly url: string;
  readonly received: ReceivedWebhook[];
  /** What the next calls are answered with. */
  answer(with_: Answer): void;
  close(): Promise<void>;
}

/** A status, or what to do with the answer. */
export type Answer = number | ((response: ServerResponse, request: IncomingMessage) => void);

/** A customer's server on the loopback; closed when the test ends. */
export async function openReceiver(first: Answer = 204): Promise<WebhookReceiver> {
  const receiver = await startReceiver(first);
  onTestFinished(receiver.close);
  return receiver;
}

/** The same, for the caller to close. */
export async function startReceiver(first: Answer = 204): Promise<WebhookReceiver> {
  let current = first;
  const received: ReceivedWebhook[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { url: path = '', method = '', headers } = request;
    received.push({ path, method, headers, body: Buffer.concat(chunks).toString() });
    if (typeof current === 'number') response.writeHead(current).end();
    else current(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hooks?key=1`,
    received,
    answer(with_) {
      current = with_;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
