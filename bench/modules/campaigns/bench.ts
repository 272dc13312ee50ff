import { isCount } from '../../load/checks.ts';
import type { ModuleBench } from '../../module-bench.ts';
import { CAMPAIGN_HISTORY } from './history.ts';
import { CAMPAIGN_STEPS } from './steps.ts';

export const bench: ModuleBench = {
  steps: CAMPAIGN_STEPS,
  officeDay: {
    'GET /api/v1/campaigns': 7,
    'GET /api/v1/campaigns/{id}': 5,
    'GET /api/v1/campaigns/{id} (own write)': 2,
    'GET /api/v1/campaigns/{id} (of another organisation)': 1,
    'GET /api/v1/campaigns/{id}/preview': 1,
    'GET /api/v1/campaigns/{id}/reach-outs': 3,
    'GET /api/v1/campaigns/{id}/failures': 1,
    'GET /api/v1/campaigns/defaults': 1,
    'POST /api/v1/campaigns/preview': 2,
    'POST /api/v1/campaigns': 2,
    'PATCH /api/v1/campaigns/{id}': 2,
  },
  rare: {
    'POST /api/v1/campaigns/{id}/launch': 2,
    'POST /api/v1/campaigns/schedule-preview': 2,
    'POST /api/v1/campaigns/{id}/schedule': 2,
    'POST /api/v1/campaigns/{id}/cancel': 2,
    'POST /api/v1/campaigns/{id}/pause': 2,
    'POST /api/v1/campaigns/{id}/resume': 2,
    'POST /api/v1/campaigns/{id}/retry': 2,
    'POST /api/v1/campaigns/{id}/test': 2,
  },
  figures: { campaignsSending: isCount },
  history: CAMPAIGN_HISTORY,
  alongside: () => import('./alongside.ts'),
  growing: {
    'GET /api/v1/campaigns': 'time',
    'GET /api/v1/campaigns/{id}': 'time',
    'GET /api/v1/campaigns/{id}/reach-outs': 'time',
  },
  counted: () => import('./counted.ts'),
  scenarios: () => import('./scenarios.ts'),
  alertFaults: () => import('./alert-faults.ts'),
  mailRun: () => import('./mail-run.ts'),
  promises: {
    'mail-once': 'test/modules/campaigns/mail-once.test.ts',
    'mail-chaos': 'scenario mail-chaos (full profile)',
    'one-rate': 'scenario two-mailers (full profile)',
    monday: 'scenario monday',
  },
};
