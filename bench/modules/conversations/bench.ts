import { isCount } from '../../load/checks.ts';
import type { ModuleBench } from '../../module-bench.ts';
import { CONVERSATION_CHECKS } from './checks.ts';
import { CONVERSATION_HISTORY } from './history.ts';
import { runSockets } from './sockets.ts';
import { SOCKET_MESSAGES, SOCKETS } from './sockets-plan.ts';
import { CONVERSATION_STEPS } from './steps.ts';

export const bench: ModuleBench = {
  steps: CONVERSATION_STEPS,
  officeDay: {
    'GET /api/conversations': 8,
    'GET /api/conversations (next page)': 4,
    'GET /api/conversations/{id}': 8,
    'POST /api/conversations/{id}/ticket': 2,
  },
  rare: { 'GET /api/exports/answers.csv': 2 },
  checks: CONVERSATION_CHECKS,
  figures: { openConversations: isCount },
  generators: { [SOCKETS]: { run: runSockets } },
  history: CONVERSATION_HISTORY,
  alongside: () => import('./alongside.ts'),
  growing: {
    'GET /api/conversations': 'time',
    'GET /api/conversations (next page)': 'time',
    'GET /api/conversations/{id}': 'time',
    'GET /api/exports/answers.csv': 'time per megabyte',
  },
  counted: () => import('./counted.ts'),
  socketMessages: Object.values(SOCKET_MESSAGES),
  scenarios: () => import('./scenarios.ts'),
  promises: {
    'chat-order': 'scenario chat-order',
    'den-minute': 'scenario den-minute',
    'even-load-chat': 'scenario even-load-chat (full profile)',
    storm: 'scenario storm',
    'twenty-times': 'scenario twenty-times (full profile)',
  },
};
