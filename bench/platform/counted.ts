import type { Target } from '../counters/count-requests.ts';

export async function requests(): Promise<Readonly<Record<string, Target>>> {
  return {
    'GET /api/me': { path: '/api/me' },
    'GET /api/summary': { path: '/api/summary' },
    'GET /api/operations': { path: '/api/operations' },
  };
}
