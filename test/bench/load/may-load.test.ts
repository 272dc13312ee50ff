import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { admitStaging, refuseStrangers } from '../../../bench/load/may-load.ts';
import { startLoad } from '../../../bench/load/start-load.ts';

let environment: string | undefined;
const product = createServer((_request, response) => void response.end(JSON.stringify({ ready: true, environment })));
let url: string;
beforeAll(async () => {
  await new Promise<void>((resolve) => product.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(product.address() as AddressInfo).port}`;
});
afterAll(() => void product.close());

test('a product that does not say that it is staging is refused in one sentence', async () => {
  environment = undefined;
  await expect(admitStaging(url)).rejects.toThrow(`${url} is not marked as staging, so it is not put under load`);
  environment = 'production';
  await expect(admitStaging(url)).rejects.toThrow('is not marked as staging');
});

test('one that says it is admitted', async () => {
  environment = 'staging';
  await expect(admitStaging(`${url}/`)).resolves.toBeUndefined();
});

test('one that does not answer is refused', async () => {
  await expect(admitStaging('http://127.0.0.1:1')).rejects.toThrow('does not say what it is');
});

test('no generator starts for a server on another machine that nobody has admitted', () => {
  expect(() => refuseStrangers('http://127.0.0.1:3000')).not.toThrow();
  const plan = { kind: 'closed-loop', url: 'https://app.acme.test', connections: 1, seconds: 1 } as const;
  const request = { route: 'GET /', method: 'GET', path: '/', expect: [200] } as const;
  expect(() => startLoad({ ...plan, request })).toThrow(
    'https://app.acme.test was neither started by the bench nor admitted',
  );
});
