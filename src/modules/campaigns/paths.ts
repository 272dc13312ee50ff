/** Generated from the OpenAPI document by npm run generate:client. Changes made here are lost. */
import type { Problems } from '../../http/paths.ts';

declare module '../../http/paths.ts' {
  interface Paths {
    '/api/v1/campaigns': {
      /** Campaigns, newest first */
      get: {
        parameters: { query?: { limit?: number; cursor?: string } };
        responses: {
          200: {
            content: {
              'application/json': {
                items: {
                  id: number;
                  name: string;
                  subject: string;
                  body: string;
                  questions: { text: string; answer: 'text' | 'scale' }[];
                  status: string;
                  launchAt: string | null;
                  cron: string | null;
                  timeZone: string;
                  parentId: number | null;
                  launchedAt: string | null;
                  finishedAt: string | null;
                  createdAt: string;
                  version: number;
                  pausedBecause: {
                    about: string;
                    reason: string | null;
                    since: string | null;
                    nextTryAt: string | null;
                  } | null;
                  progress: {
                    recipients: number;
                    sent: number;
                    failed: number;
                    skipped: number;
                    suppressed: number;
                    complaints: number;
                    possiblyTwice: number;
                    opened: number;
                    finished: number;
                    answers: number;
                    perSecond: number | null;
                    secondsLeft: number | null;
                  };
                }[];
                nextCursor: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 429 | 431 | 500 | 503>;
      };
      /** Create a draft campaign */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: {
          content: {
            'application/json': {
              name: string;
              subject: string;
              body: string;
              questions?: (string | { text: string; answer: 'text' | 'scale' })[];
            };
          };
        };
        responses: {
          201: {
            content: {
              'application/json': {
                id: number;
                name: string;
                subject: string;
                body: string;
                questions: { text: string; answer: 'text' | 'scale' }[];
                status: string;
                launchAt: string | null;
                cron: string | null;
                timeZone: string;
                parentId: number | null;
                launchedAt: string | null;
                finishedAt: string | null;
                createdAt: string;
                version: number;
                pausedBecause: {
                  about: string;
                  reason: string | null;
                  since: string | null;
                  nextTryAt: string | null;
                } | null;
                progress: {
                  recipients: number;
                  sent: number;
                  failed: number;
                  skipped: number;
                  suppressed: number;
                  complaints: number;
                  possiblyTwice: number;
                  opened: number;
                  finished: number;
                  answers: number;
                  perSecond: number | null;
                  secondsLeft: number | null;
                };
              };
            };
          };
        } & Problems<400 | 401 | 403 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/campaigns/defaults': {
      /** Default text and questions to start from */
      get: {
        responses: {
          200: {
            content: {
              'application/json': {
                subject: string;
                body: string;
                questions: { text: string; answer: 'text' | 'scale' }[];
              };
            };
          };
        } & Problems<400 | 401 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/campaigns/preview': {
      /** Preview a mail */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: { content: { 'application/json': { subject: string; body: string } } };
        responses: {
          200: { content: { 'application/json': { subject: string; html: string; text: string } } };
        } & Problems<400 | 401 | 403 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/campaigns/{id}': {
      /** A campaign and its progress */
      get: {
        parameters: { path: { id: number } };
        responses: {
          200: {
            content: {
              'application/json': {
                id: number;
                name: string;
                subject: string;
                body: string;
                questions: { text: string; answer: 'text' | 'scale' }[];
                status: string;
                launchAt: string | null;
                cron: string | null;
                timeZone: string;
                parentId: number | null;
                launchedAt: string | null;
                finishedAt: string | null;
                createdAt: string;
                version: number;
                pausedBecause: {
                  about: string;
                  reason: string | null;
                  since: string | null;
                  nextTryAt: string | null;
                } | null;
                progress: {
                  recipients: number;
                  sent: number;
                  failed: number;
                  skipped: number;
                  suppressed: number;
                  complaints: number;
                  possiblyTwice: number;
                  opened: number;
                  finished: number;
                  answers: number;
                  perSecond: number | null;
                  secondsLeft: number | null;
                };
              };
            };
          };
        } & Problems<400 | 401 | 404 | 429 | 431 | 500 | 503>;
      };
      /** Change a draft */
      patch: {
        parameters: { header?: { 'if-match'?: string }; path: { id: number } };
        requestBody: {
          content: {
            'application/json': {
              name?: string;
              subject?: string;
              body?: string;
              questions?: (string | { text: string; answer: 'text' | 'scale' })[];
            };
          };
        };
        responses: {
          200: {
            content: {
              'application/json': {
                id: number;
                name: string;
                subject: string;
                body: string;
                questions: { text: string; answer: 'text' | 'scale' }[];
                status: string;
                launchAt: string | null;
                cron: string | null;
                timeZone: string;
                parentId: number | null;
                launchedAt: string | null;
                finishedAt: string | null;
                createdAt: string;
                version: number;
                pausedBecause: {
                  about: string;
                  reason: string | null;
                  since: string | null;
                  nextTryAt: string | null;
                } | null;
                progress: {
                  recipients: number;
                  sent: number;
                  failed: number;
                  skipped: number;
                  suppressed: number;
                  complaints: number;
                  possiblyTwice: number;
                  opened: number;
                  finished: number;
                  answers: number;
                  perSecond: number | null;
                  secondsLeft: number | null;
                };
              };
            };
          };
        } & Problems<400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 428 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/campaigns/{id}/preview': {
      /** Preview the mail of a campaign, with the number of people who would get it now */
      get: {
        parameters: { path: { id: number } };
        responses: {
          200: {
            content: {
              'application/json': { subject: string; html: string; text: string; recipients: number; version: number };
            };
          };
        } & Problems<400 | 401 | 404 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/campaigns/{id}/test': {
      /** Send the mail of a campaign to yourself, marked as a test */
      post: {
        parameters: { header?: { 'if-match'?: string; 'idempotency-key'?: string }; path: { id: number } };
        responses: { 202: { content: { 'application/json': { to: string } } } } & Problems<
          400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/v1/campaigns/{id}/launch': {
      /** Send a campaign now */
      post: {
        parameters: { header?: { 'if-match'?: string; 'idempotency-key'?: string }; path: { id: number } };
        responses: {
          202: {
            content: {
              'application/json': {
                id: number;
                name: string;
                subject: string;
                body: string;
                questions: { text: string; answer: 'text' | 'scale' }[];
                status: string;
                launchAt: string | null;
                cron: string | null;
                timeZone: string;
                parentId: number | null;
                launchedAt: string | null;
                finishedAt: string | null;
                createdAt: string;
                version: number;
                pausedBecause: {
                  about: string;
                  reason: string | null;
                  since: string | null;
                  nextTryAt: string | null;
                } | null;
                progress: {
                  recipients: number;
                  sent: number;
                  failed: number;
                  skipped: number;
                  suppressed: number;
                  complaints: number;
                  possiblyTwice: number;
                  opened: number;
                  finished: number;
                  answers: number;
                  perSecond: number | null;
                  secondsLeft: number | null;
                };
              };
            };
          };
        } & Problems<400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/campaigns/{id}/schedule': {
      /** Send a campaign later, once or repeatedly */
      post: {
        parameters: { header?: { 'if-match'?: string; 'idempotency-key'?: string }; path: { id: number } };
        requestBody: { content: { 'application/json': { at?: string; cron?: string; timeZone?: string } } };
        responses: {
          200: {
            content: {
              'application/json': {
                id: number;
                name: string;
                subject: string;
                body: string;
                questions: { text: string; answer: 'text' | 'scale' }[];
                status: string;
                launchAt: string | null;
                cron: string | null;
                timeZone: string;
                parentId: number | null;
                launchedAt: string | null;
                finishedAt: string | null;
                createdAt: string;
                version: number;
                pausedBecause: {
                  about: string;
                  reason: string | null;
                  since: string | null;
                  nextTryAt: string | null;
                } | null;
                progress: {
                  recipients: number;
                  sent: number;
                  failed: number;
                  skipped: number;
                  suppressed: number;
                  complaints: number;
                  possiblyTwice: number;
                  opened: number;
                  finished: number;
                  answers: number;
                  perSecond: number | null;
                  secondsLeft: number | null;
                };
              };
            };
          };
        } & Problems<400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/campaigns/schedule-preview': {
      /** When a schedule would launch, before it is saved */
      post: {
        parameters: { header?: { 'idempotency-key'?: string } };
        requestBody: { content: { 'application/json': { at?: string; cron?: string; timeZone?: string } } };
        responses: { 200: { content: { 'application/json': { next: string[]; timeZone: string } } } } & Problems<
          400 | 401 | 403 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503
        >;
      };
    };
    '/api/v1/campaigns/{id}/cancel': {
      /** Cancel a campaign: mails that are not sent yet are not sent */
      post: {
        parameters: { header?: { 'if-match'?: string; 'idempotency-key'?: string }; path: { id: number } };
        responses: {
          200: {
            content: {
              'application/json': {
                id: number;
                name: string;
                subject: string;
                body: string;
                questions: { text: string; answer: 'text' | 'scale' }[];
                status: string;
                launchAt: string | null;
                cron: string | null;
                timeZone: string;
                parentId: number | null;
                launchedAt: string | null;
                finishedAt: string | null;
                createdAt: string;
                version: number;
                pausedBecause: {
                  about: string;
                  reason: string | null;
                  since: string | null;
                  nextTryAt: string | null;
                } | null;
                progress: {
                  recipients: number;
                  sent: number;
                  failed: number;
                  skipped: number;
                  suppressed: number;
                  complaints: number;
                  possiblyTwice: number;
                  opened: number;
                  finished: number;
                  answers: number;
                  perSecond: number | null;
                  secondsLeft: number | null;
                };
              };
            };
          };
        } & Problems<400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/campaigns/{id}/pause': {
      /** Pause a campaign that is being sent */
      post: {
        parameters: { header?: { 'if-match'?: string; 'idempotency-key'?: string }; path: { id: number } };
        responses: {
          200: {
            content: {
              'application/json': {
                id: number;
                name: string;
                subject: string;
                body: string;
                questions: { text: string; answer: 'text' | 'scale' }[];
                status: string;
                launchAt: string | null;
                cron: string | null;
                timeZone: string;
                parentId: number | null;
                launchedAt: string | null;
                finishedAt: string | null;
                createdAt: string;
                version: number;
                pausedBecause: {
                  about: string;
                  reason: string | null;
                  since: string | null;
                  nextTryAt: string | null;
                } | null;
                progress: {
                  recipients: number;
                  sent: number;
                  failed: number;
                  skipped: number;
                  suppressed: number;
                  complaints: number;
                  possiblyTwice: number;
                  opened: number;
                  finished: number;
                  answers: number;
                  perSecond: number | null;
                  secondsLeft: number | null;
                };
              };
            };
          };
        } & Problems<400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/campaigns/{id}/resume': {
      /** Resume a paused campaign */
      post: {
        parameters: { header?: { 'if-match'?: string; 'idempotency-key'?: string }; path: { id: number } };
        responses: {
          200: {
            content: {
              'application/json': {
                id: number;
                name: string;
                subject: string;
                body: string;
                questions: { text: string; answer: 'text' | 'scale' }[];
                status: string;
                launchAt: string | null;
                cron: string | null;
                timeZone: string;
                parentId: number | null;
                launchedAt: string | null;
                finishedAt: string | null;
                createdAt: string;
                version: number;
                pausedBecause: {
                  about: string;
                  reason: string | null;
                  since: string | null;
                  nextTryAt: string | null;
                } | null;
                progress: {
                  recipients: number;
                  sent: number;
                  failed: number;
                  skipped: number;
                  suppressed: number;
                  complaints: number;
                  possiblyTwice: number;
                  opened: number;
                  finished: number;
                  answers: number;
                  perSecond: number | null;
                  secondsLeft: number | null;
                };
              };
            };
          };
        } & Problems<400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/campaigns/{id}/failures': {
      /** How many recipients failed, by cause */
      get: {
        parameters: { path: { id: number } };
        responses: {
          200: {
            content: {
              'application/json': {
                items: { cause: string; count: number; suppressed: number; example: string | null }[];
              };
            };
          };
        } & Problems<400 | 401 | 404 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/campaigns/{id}/retry': {
      /** Send to failed recipients again: to one, to those of one cause, or to all */
      post: {
        parameters: { header?: { 'if-match'?: string; 'idempotency-key'?: string }; path: { id: number } };
        requestBody: {
          content: {
            'application/json': {
              cause?: 'recipient' | 'mail' | 'unsupported' | 'unconfirmed' | 'bounced';
              reachOutId?: number;
            };
          };
        };
        responses: {
          202: {
            content: {
              'application/json': {
                id: number;
                name: string;
                subject: string;
                body: string;
                questions: { text: string; answer: 'text' | 'scale' }[];
                status: string;
                launchAt: string | null;
                cron: string | null;
                timeZone: string;
                parentId: number | null;
                launchedAt: string | null;
                finishedAt: string | null;
                createdAt: string;
                version: number;
                pausedBecause: {
                  about: string;
                  reason: string | null;
                  since: string | null;
                  nextTryAt: string | null;
                } | null;
                progress: {
                  recipients: number;
                  sent: number;
                  failed: number;
                  skipped: number;
                  suppressed: number;
                  complaints: number;
                  possiblyTwice: number;
                  opened: number;
                  finished: number;
                  answers: number;
                  perSecond: number | null;
                  secondsLeft: number | null;
                };
              };
            };
          };
        } & Problems<400 | 401 | 403 | 404 | 408 | 409 | 412 | 413 | 415 | 422 | 429 | 431 | 500 | 503>;
      };
    };
    '/api/v1/campaigns/{id}/reach-outs': {
      /** The mails of a campaign, one per recipient */
      get: {
        parameters: {
          query?: { limit?: number; cursor?: string; status?: 'waiting' | 'sending' | 'sent' | 'failed' | 'skipped' };
          path: { id: number };
        };
        responses: {
          200: {
            content: {
              'application/json': {
                items: {
                  id: number;
                  employee: { id: number; name: string; email: string };
                  status: string;
                  attempts: number;
                  sentAt: string | null;
                  error: string | null;
                  cause: string | null;
                  suppressed: boolean;
                  complainedAt: string | null;
                }[];
                nextCursor: string | null;
              };
            };
          };
        } & Problems<400 | 401 | 404 | 429 | 431 | 500 | 503>;
      };
    };
  }
}
