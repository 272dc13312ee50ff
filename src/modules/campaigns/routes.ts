import type { App } from '../../http/app.ts';
import { versionOf } from '../../http/optimistic-concurrency.ts';
import type { ApiContext } from '../faces.ts';
import { draftRoutes } from './draft-routes.ts';
import { launchRoutes } from './launch-routes.ts';
import { previewRoutes } from './preview-page.ts';
import { recipientRoutes } from './recipient-routes.ts';
import { unsubscribeRoutes } from './unsubscribe.ts';

export function publicRoutes(app: App, context: ApiContext): void {
  unsubscribeRoutes(app, context);
  previewRoutes(app, context);
}

export function routes(api: App, context: ApiContext): void {
  api.tagThing('/campaigns/:id', { lockTag: versionOf('campaigns') });
  draftRoutes(api, context);
  launchRoutes(api, context);
  recipientRoutes(api, context);
}
