import type { Readable } from 'node:stream';
import { Type } from 'typebox';
import { UPLOAD_MS } from '../../src/limits.ts';
import type { Module } from '../../src/modules/faces.ts';

/** A module whose handlers wait until the test lets them go on: requests that really hold what a request holds. `/bulk`: more than the kernel's buffers take. */
export function createGatedModule() {
  let gate = Promise.withResolvers<void>();
  const count = { begun: 0, ended: 0 };
  async function wait(): Promise<{ ok: true }> {
    count.begun++;
    await gate.promise;
    count.ended++;
    return { ok: true };
  }
  const bulk = Buffer.alloc(8 * 1024 * 1024);
  const module: Module = {
    name: 'gated',
    routes: async () => ({
      routes(api) {
        api.get('/gated', wait);
        api.get('/open', { config: { public: true } }, wait);
        api.get('/bulk', { config: { public: true } }, async (_request, reply) => {
          count.begun++;
          return reply.send(bulk);
        });
        api.post('/open', { config: { public: true }, schema: { body: Type.Any() } }, wait);
        api.register(async (files) => {
          files.addContentTypeParser('text/csv', (_request, payload, done) => done(null, payload));
          files.put('/file', { config: { requestMs: UPLOAD_MS }, schema: { body: Type.Any() } }, async ({ body }) => {
            for await (const _ of body as Readable);
            return { ok: true };
          });
        });
      },
    }),
  };
  return {
    module,
    count,
    open(): void {
      gate.resolve();
      gate = Promise.withResolvers<void>();
      Object.assign(count, { begun: 0, ended: 0 });
    },
  };
}
