/** Generated from the OpenAPI document by npm run generate:client. Changes made here are lost. */
import type { Problems } from '../../http/paths.ts';

declare module '../../http/paths.ts' {
  interface Paths {
    '/api/v1/operations': {
      /** The state of every process, queue and server */
      get: {
        responses: {
          200: {
            content: {
              'application/json': {
                now: string;
                alerts: { rule: string; process: string; detail: string; since: string }[];
                deaths: { at: string; cause: 'oom' | 'crash'; says: string }[];
                processes: {
                  name: string;
                  pid: number;
                  startedAt: string;
                  reportedAt: string;
                  memory: {
                    rssBytes: number;
                    heapUsedBytes: number;
                    heapLimitBytes: number;
                    limitBytes: number;
                    limitIsEnforced: boolean;
                    containerUsedBytes: number | null;
                  };
                  cpuShare: number;
                  eventLoopDelayMs: { p50: number; p99: number; max: number };
                  gauges: Record<string, number>;
                  words?: Record<string, string>;
                }[];
                replica: { state: string; lagMs: number | null; lagBytes: number | null };
                queues: { name: string; waiting: number; active: number; delayed: number; failed: number }[];
                outbox: { waiting: number };
                database: {
                  connections: number;
                  connectionsMax: number;
                  sizeBytes: number;
                  budget: { needed: number; allowed: number; arithmetic: string } | null;
                };
                redis: { usedBytes: number; maxBytes: number } | null;
              };
            };
          };
        } & Problems<400 | 401 | 403 | 429 | 431 | 500 | 503>;
      };
    };
  }
}
