import { expect, test } from 'vitest';
import { MAIL_DOMAIN_BUSY_MS, MAIL_DOMAIN_SLOW_MS, MAIL_JOBS_PER_DOMAIN_MAX } from '../../src/limits.ts';
import { createDomainPlaces } from '../../src/mail/domain-places.ts';

function arrange() {
  let now = 0;
  const places = createDomainPlaces(() => now);
  const full = () => Array.from({ length: MAIL_JOBS_PER_DOMAIN_MAX }, () => places.enter('slow.test'));
  const pass = (ms: number) => {
    now += ms;
  };
  return { places, full, pass };
}

test('a domain has its places and no more, and another domain has its own', () => {
  const { places, full } = arrange();
  for (const place of full()) expect(place).toHaveProperty('leave');
  expect(places.enter('slow.test')).toEqual({ againInMs: MAIL_DOMAIN_BUSY_MS });
  expect(places.enter('quick.test')).toHaveProperty('leave');
});

test('a place that was given back is taken by the next', () => {
  const { places, full } = arrange();
  const [first] = full();
  if (first !== undefined && 'leave' in first) first.leave();
  expect(places.enter('slow.test')).toHaveProperty('leave');
  expect(places.enter('slow.test')).toHaveProperty('againInMs');
});

test('where a mail has been under way for long, the others come back late', () => {
  const { places, full, pass } = arrange();
  full();
  pass(MAIL_DOMAIN_BUSY_MS + 1);
  expect(places.enter('slow.test')).toEqual({ againInMs: MAIL_DOMAIN_SLOW_MS });
});
