import type { Retention } from '../../queue/retention.ts';

export const retention = {
  mood_days: {
    kept: 'sums by team and day, a row for each: years can be compared when the answers themselves are long gone',
  },
} as const satisfies Retention;
