import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FixedRequest, OpenLoopPlan } from '../../../bench/load/plan.ts';

/** A server of the test's own on loopback, with a handler that misbehaves as the test needs it. */
export async function listen(handler: RequestListener): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export function answerJson(response: Parameters<RequestListener>[1], body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

export const GET_ITEM: FixedRequest = { route: 'GET /item', method: 'GET', path: '/item', expect: [200] };

export function planFor(url: string, plan: Partial<OpenLoopPlan>): OpenLoopPlan {
  return {
    kind: 'open-loop',
    url,
    phases: [{ seconds: 1, perSecond: 200 }],
    arrivals: 'constant',
    seed: 1,
    requests: [GET_ITEM],
    ...plan,
  };
}
