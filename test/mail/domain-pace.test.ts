import { expect, test } from 'vitest';
import { MAIL_DOMAIN_AHEAD_MS, MAIL_DOMAINS_MAX } from '../../src/limits.ts';
import { createDomainPace } from '../../src/mail/domain-pace.ts';

function arrange(perSecond: number) {
  let time = 0;
  const pace = createDomainPace(perSecond, () => time);
  return {
    pace,
    passes(ms: number) {
      time += ms;
    },
  };
}

test('a domain gets its rate, and the rest is told when to come back', () => {
  const { pace, passes } = arrange(10);
  let sent = 0;
  for (let ms = 0; ms < 10_000; ms += 10) {
    if ('waitMs' in pace.take('one.test')) sent++;
    passes(10);
  }
  expect(sent).toBeGreaterThanOrEqual(100);
  expect(sent).toBeLessThanOrEqual(105);
});

test('those that are put off come back one after the other', () => {
  const { pace } = arrange(10);
  const taken = Array.from({ length: 50 }, () => pace.take('one.test'));
  const putOff = taken.flatMap((one) => ('againInMs' in one ? [one.againInMs] : []));
  expect(putOff.length).toBeGreaterThan(40);
  for (const [nth, ms] of putOff.slice(1).entries()) expect(ms - (putOff[nth] as number)).toBeCloseTo(100);
});

test('other domains are not held up', () => {
  const { pace } = arrange(1);
  for (let n = 0; n < 20; n++) pace.take('one.test');
  expect(pace.take('other.test')).toEqual({ waitMs: 0 });
});

test('nothing is put off for longer than the limit, and no more domains are remembered than that', () => {
  const { pace } = arrange(1);
  for (let n = 0; n < 5_000; n++) {
    const one = pace.take('one.test');
    if ('againInMs' in one) expect(one.againInMs).toBeLessThanOrEqual(MAIL_DOMAIN_AHEAD_MS);
  }
  for (let n = 0; n < MAIL_DOMAINS_MAX; n++) pace.take(`domain-${n}.test`);
  expect(pace.take('one.test')).toEqual({ waitMs: 0 }); // forgotten
});

test('without a rate nobody waits', () => {
  const { pace } = arrange(0);
  for (let n = 0; n < 1_000; n++) expect(pace.take('one.test')).toEqual({ waitMs: 0 });
});
