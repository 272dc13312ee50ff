import { isCount } from '../../load/checks.ts';
import type { ModuleBench } from '../../module-bench.ts';
import { CONVERSATION_CHECKS } from './checks.ts';
import { runFlood } from './flood.ts';
import { FLOOD } from './flood-plan.ts';
import { CONVERSATION_HISTORY } from './history.ts';
import { runSockets } from './sockets.ts';
import { SOCKET_MESSAGES, SOCKETS } from './sockets-plan.ts';
import { CONVERSATION_STEPS } from './steps.ts';
import { runWindows } from './windows.ts';
import { WINDOWS } from './windows-plan.ts';

export const bench: ModuleBench = {
  steps: CONVERSATION_STEPS,
  officeDay: {
    'GET /api/v1/conversations': 8,
    'GET /api/v1/conversations (next page)': 4,
    'GET /api/v1/conversations/{id}': 8,
    'POST /api/v1/conversations/{id}/ticket': 2,
  },
  rare: { 'GET /api/v1/exports/answers.csv': 2 },
  checks: CONVERSATION_CHECKS,
  figures: { openConversations: isCount },
  generators: {
    [SOCKETS]: { run: runSockets },
    [FLOOD]: { run: runFlood, givesWay: true },
    [WINDOWS]: { run: runWindows },
  },
  history: CONVERSATION_HISTORY,
  alongside: () => import('./alongside.ts'),
  growing: {
    'GET /api/v1/conversations': 'time',
    'GET /api/v1/conversations (next page)': 'time',
    'GET /api/v1/conversations/{id}': 'time',
    'GET /api/v1/exports/answers.csv': 'time per megabyte',
  },
  counted: () => import('./counted.ts'),
  socketMessages: Object.values(SOCKET_MESSAGES),
  scenarios: () => import('./scenarios.ts'),
  promises: {
    'chat-order': 'scenario chat-order',
    'den-minute': 'scenario den-minute',
    'even-load-chat': 'scenario even-load-chat (full profile)',
    'durable-answers': 'scenario durable-answers (full profile)',
    floods: 'scenario floods (full profile)',
    'idle-sockets': 'scenario idle-sockets (full profile)',
    storm: 'scenario storm',
    storms: 'scenario storms (full profile)',
    'twenty-times': 'scenario twenty-times (full profile)',
    'two-windows': 'scenario two-windows (full profile)',
  },
};
