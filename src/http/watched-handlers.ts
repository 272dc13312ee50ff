import type { IncomingMessage } from 'node:http';
import type { App } from './app.ts';

/** What is told of the handlers' work. It ends when the handler has, which may be long after its client has gone. */
export interface Work {
  /** Returns what to call at the end; false: it is not to begin, because nobody waits for it; undefined: it does not count. */
  begin(request: IncomingMessage): (() => void) | false | undefined;
}

/** Tells `work` when each handler begins and ends. Register it before all routes. */
export function watchHandlers(app: App, work: Work): void {
  const watched = new WeakSet<object>();
  app.addHook('onRoute', (route) => {
    const { handler } = route;
    if (watched.has(handler)) return; // the HEAD route of a GET route
    route.handler = function watch(request, reply) {
      const end = work.begin(request.raw);
      if (end === undefined) return handler.call(this, request, reply);
      if (end === false) return void reply.hijack();
      let works: unknown;
      try {
        works = handler.call(this, request, reply);
      } finally {
        if (!(works instanceof Promise)) end();
      }
      if (works instanceof Promise) works.then(end, end);
      return works;
    };
    watched.add(route.handler);
  });
}
