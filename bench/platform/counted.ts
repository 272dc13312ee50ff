import type { Target } from '../counters/count-requests.ts';

export async function requests(): Promise<Readonly<Record<string, Target>>> {
  return {
    'GET /api/me': { path: '/api/me' },
    'GET /api/summary': { path: '/api/summary' },
    'GET /api/operations': { path: '/api/operations' },
    'GET /api/users': { path: '/api/users?limit=50' },
    'GET /api/sessions': { path: '/api/sessions' },
    'GET /api/audit-log': { path: '/api/audit-log?limit=50' },
  };
}
