import { type TSchema, Type } from 'typebox';
import { createSingleFlight } from '../../flow/single-flight.ts';
import type { App } from '../../http/app.ts';
import type { ApiContext } from '../faces.ts';
import { type Summary, summary } from './queries.ts';

/** The key figures of all modules. Each module adds its own in its `figures` face. */
export function routes(api: App, { figures }: ApiContext): void {
  const asking = createSingleFlight<Summary>();
  const shape: Record<string, TSchema> = {};
  for (const [name, { schema }] of Object.entries(figures)) shape[name] = schema;

  api.get(
    '/summary',
    { schema: { summary: 'The key figures', tags: ['dashboard'], response: { 200: Type.Object(shape) } } },
    // A whole company opens it at nine; requests that see the same state of the data share one query.
    async ({ db, user }) =>
      asking(`${user.orgId} ${db.position() ?? ''}`, () => db.read((reader) => summary(reader, user.orgId, figures))),
  );
}
