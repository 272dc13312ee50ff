import type { Module } from './modules/faces.ts';

/**
 * Every module, and which of its faces each process loads. A new module is one entry here; nothing else names it.
 * A module may depend only on modules above it. `npm run new:module` and `npm run remove:module` edit this list.
 */
export const PLATFORM: readonly Module[] = [
  {
    name: 'audit',
    actions: () => import('./modules/audit/actions.ts'),
    routes: () => import('./modules/audit/routes.ts'),
    retention: () => import('./modules/audit/retention.ts'),
    staging: () => import('./modules/audit/staging.ts'),
  },
  {
    name: 'webhooks',
    queues: ['webhook-notices'],
    actions: () => import('./modules/webhooks/actions.ts'),
    routes: () => import('./modules/webhooks/routes.ts'),
    jobs: () => import('./modules/webhooks/jobs.ts'),
    retention: () => import('./modules/webhooks/retention.ts'),
    staging: () => import('./modules/webhooks/staging.ts'),
    consistency: () => import('./modules/webhooks/consistency.ts'),
  },
  {
    name: 'accounts',
    queues: ['account-mails'],
    actions: () => import('./modules/accounts/actions.ts'),
    routes: () => import('./modules/accounts/routes.ts'),
    events: () => import('./modules/accounts/events.ts'),
    jobs: () => import('./modules/accounts/jobs.ts'),
    retention: () => import('./modules/accounts/retention.ts'),
    staging: () => import('./modules/accounts/staging.ts'),
    seed: () => import('./modules/accounts/seed.ts'),
  },
  {
    name: 'suppressions',
    actions: () => import('./modules/suppressions/actions.ts'),
    routes: () => import('./modules/suppressions/routes.ts'),
    retention: () => import('./modules/suppressions/retention.ts'),
    staging: () => import('./modules/suppressions/staging.ts'),
    seed: () => import('./modules/suppressions/seed.ts'),
  },
  { name: 'dashboard', routes: () => import('./modules/dashboard/routes.ts') },
  {
    name: 'operations',
    routes: () => import('./modules/operations/routes.ts'),
    jobs: () => import('./modules/operations/jobs.ts'),
    alerts: () => import('./modules/operations/alert-rules.ts'),
    retention: () => import('./modules/operations/retention.ts'),
    staging: () => import('./modules/operations/staging.ts'),
  },
];

export const PRODUCT: readonly Module[] = [
  {
    name: 'employees',
    actions: () => import('./modules/employees/actions.ts'),
    routes: () => import('./modules/employees/routes.ts'),
    figures: () => import('./modules/employees/figures.ts'),
    jobs: () => import('./modules/employees/jobs.ts'),
    retention: () => import('./modules/employees/retention.ts'),
    staging: () => import('./modules/employees/staging.ts'),
    person: () => import('./modules/employees/person.ts'),
    consistency: () => import('./modules/employees/consistency.ts'),
    seed: () => import('./modules/employees/seed.ts'),
  },
  {
    name: 'campaigns',
    queues: ['campaigns'],
    actions: () => import('./modules/campaigns/actions.ts'),
    routes: () => import('./modules/campaigns/routes.ts'),
    events: () => import('./modules/campaigns/events.ts'),
    figures: () => import('./modules/campaigns/figures.ts'),
    jobs: () => import('./modules/campaigns/jobs.ts'),
    alerts: () => import('./modules/campaigns/alerts.ts'),
    retention: () => import('./modules/campaigns/retention.ts'),
    staging: () => import('./modules/campaigns/staging.ts'),
    consistency: () => import('./modules/campaigns/consistency.ts'),
    feedback: () => import('./modules/campaigns/feedback.ts'),
    person: () => import('./modules/campaigns/person.ts'),
    seed: () => import('./modules/campaigns/seed.ts'),
  },
  {
    name: 'mood',
    routes: () => import('./modules/mood/routes.ts'),
    figures: () => import('./modules/mood/figures.ts'),
    retention: () => import('./modules/mood/retention.ts'),
    staging: () => import('./modules/mood/staging.ts'),
    consistency: () => import('./modules/mood/consistency.ts'),
  },
  {
    name: 'conversations',
    actions: () => import('./modules/conversations/actions.ts'),
    routes: () => import('./modules/conversations/routes.ts'),
    figures: () => import('./modules/conversations/figures.ts'),
    jobs: () => import('./modules/conversations/jobs.ts'),
    retention: () => import('./modules/conversations/retention.ts'),
    staging: () => import('./modules/conversations/staging.ts'),
    person: () => import('./modules/conversations/person.ts'),
    consistency: () => import('./modules/conversations/consistency.ts'),
    socket: () => import('./modules/conversations/socket.ts'),
    links: () => import('./modules/conversations/links.ts'),
    seed: () => import('./modules/conversations/seed.ts'),
  },
];

export const MODULES: readonly Module[] = [...PLATFORM, ...PRODUCT];
