import type { Target } from '../counters/count-requests.ts';

export async function requests(): Promise<Readonly<Record<string, Target>>> {
  return {
    'GET /api/v1/me': { path: '/api/v1/me' },
    'GET /api/v1/summary': { path: '/api/v1/summary' },
    'GET /api/v1/operations': { path: '/api/v1/operations' },
    'GET /api/v1/users': { path: '/api/v1/users?limit=50' },
    'GET /api/v1/sessions': { path: '/api/v1/sessions' },
    'GET /api/v1/audit-log': { path: '/api/v1/audit-log?limit=50' },
  };
}
