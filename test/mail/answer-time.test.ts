import { expect, test } from 'vitest';
import { ANSWER_KEPT_SECONDS } from '../../src/limits.ts';
import { createAnswerTime } from '../../src/mail/answer-time.ts';

function arrange() {
  let time = 0;
  const answerTime = createAnswerTime(() => time);
  const passes = (seconds: number) => {
    time += seconds * 1_000;
  };
  return { begin: answerTime.begin, mean: answerTime.mean, passes };
}

test('a server without mails takes no time', () => {
  expect(arrange().mean()).toBe(0);
});

test('a fast server is fast however many mails it is given', () => {
  const { begin, mean, passes } = arrange();
  for (let mail = 0; mail < 10_000; mail++) {
    const answered = begin();
    passes(0.2);
    answered();
  }
  expect(mean()).toBeCloseTo(0.2);
});

test('a server that stands still takes longer and longer, although it was fast before', () => {
  const { begin, mean, passes } = arrange();
  for (let mail = 0; mail < 1_000; mail++) {
    const answered = begin();
    passes(0.01);
    answered();
  }
  for (let mail = 0; mail < 4; mail++) begin();
  passes(60);
  expect(mean()).toBeCloseTo(60);
});

test('a server that answers each mail after a minute never looks fast, not even just after it answered', () => {
  const { begin, mean, passes } = arrange();
  let lowest = Number.POSITIVE_INFINITY;
  for (let minute = 0; minute < 5; minute++) {
    const together = [begin(), begin(), begin(), begin()];
    for (let second = 0; second < 60; second++) {
      if (minute > 0) lowest = Math.min(lowest, mean());
      passes(1);
    }
    for (const answered of together) answered();
  }
  expect(lowest).toBeGreaterThan(25);
});

test('one slow mail among many fast ones hardly counts, and is forgotten', () => {
  const { begin, mean, passes } = arrange();
  const slow = begin();
  passes(60);
  for (let mail = 0; mail < 1_000; mail++) begin()();
  slow();
  expect(mean()).toBeLessThan(0.1);
  passes(ANSWER_KEPT_SECONDS + 1);
  expect(mean()).toBe(0);
});
