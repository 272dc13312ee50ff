import { expect, test } from 'vitest';
import { examples } from '../../scripts/alerts/prometheus-tests.ts';
import { ALERT_OVER_MS } from '../../src/limits.ts';
import { alerts } from '../../src/modules/operations/alert-rules.ts';
import { afterMail, isDue } from '../../src/modules/operations/alert-state.ts';
import { judge } from '../../src/modules/operations/judge.ts';
import { ALERT_TELLING_MS } from '../../src/modules/operations/limits.ts';
import { type AlertRule, type AlertState, type Judgement, nextState } from '../../src/process/alert-before-full.ts';
import { createMetrics, type ProcessReport } from '../../src/process/metrics.ts';

const RULE = {
  name: 'Full',
  ...{ severity: 'now', metric: 'used', per: 'allowed', above: 0.8, forMs: 60_000, unit: 'share' },
  says: 'Something is full',
  look: 'Empty it.',
} as const satisfies AlertRule;

const judgement = (holds: boolean): Judgement => ({
  rule: RULE,
  process: 'api',
  holds,
  value: holds ? 1 : 0,
  detail: '',
});

/** The states at the given seconds, with what was found at each. */
function through(...found: readonly (readonly [seconds: number, holds: boolean])[]): (AlertState | undefined)[] {
  let state: AlertState | undefined;
  return found.map(([seconds, holds]) => {
    state = nextState(state, judgement(holds), seconds * 1_000);
    return state;
  });
}

test('a condition fires when it has lasted, and not before', () => {
  const [begun, before, fired] = through([0, true], [59, true], [60, true]);
  expect([begun?.firedAt, before?.firedAt, fired?.firedAt]).toEqual([null, null, 60_000]);
  expect([begun, before, fired].map((state) => isDue(state as AlertState, 60_000))).toEqual([false, false, true]);
});

test('a condition that comes and goes before it has lasted is forgotten', () => {
  const [, gone, again] = through([0, true], [30, false], [70, true]);
  expect(gone).toBeUndefined();
  expect(again).toMatchObject({ since: 70_000, firedAt: null });
});

test('an alert is over when the condition has been gone for long enough; a shorter gap is the same alert', () => {
  const overS = ALERT_OVER_MS / 1_000;
  const states = through(
    [0, true],
    [60, true],
    [70, false],
    [80, true],
    [90, false],
    [89 + overS, false],
    [90 + overS, false],
  );
  expect(states[3]).toMatchObject({ since: 0, firedAt: 60_000, clearSince: null });
  expect(states[5]?.overAt).toBeNull();
  expect(states[6]?.overAt).toBe(90_000 + ALERT_OVER_MS);
});

test('it is told once that it fires and once that it is over', () => {
  const [, fired] = through([0, true], [60, true]) as [AlertState, AlertState];
  const told = afterMail(fired, fired, 61_000) as AlertState;
  expect(isDue(told, 62_000)).toBe(false);
  const later = nextState(told, judgement(true), 10_000_000) as AlertState;
  expect(isDue(later, 10_000_000)).toBe(false);
  const over = { ...told, clearSince: 70_000, overAt: 200_000 };
  expect(isDue(over, 200_000)).toBe(true);
  expect(afterMail(over, over, 201_000)).toBeUndefined();
});

test('what holds again while its end is being told is news', () => {
  const [, fired] = through([0, true], [60, true]) as [AlertState, AlertState];
  const over = { ...fired, toldAt: 61_000, clearSince: 70_000, overAt: 200_000, tellingSince: 200_000 };
  const again = nextState(over, judgement(true), 201_000) as AlertState;
  expect(isDue(afterMail(again, over, 202_000) as AlertState, 203_000)).toBe(true);
});

test('while one mailer writes the mail no other does, unless it has died over it', () => {
  const [, fired] = through([0, true], [60, true]) as [AlertState, AlertState];
  const claimed = { ...fired, tellingSince: 60_000 };
  expect(isDue(claimed, 60_000 + ALERT_TELLING_MS - 1)).toBe(false);
  expect(isDue(claimed, 60_000 + ALERT_TELLING_MS)).toBe(true);
});

function report(name: string, gauges: Record<string, number>, recent: Record<string, number> = {}): ProcessReport {
  return { ...createMetrics(name).report(), gauges, recent };
}

test('a kind of process is judged by its worst instance, and one that does not know the value not at all', () => {
  const reports = [
    report('api', { used: 5, allowed: 10 }),
    report('api', { used: 9, allowed: 10 }),
    report('chat', { used: 1 }),
    report('mailer', { used: 1, allowed: 10 }),
  ];
  expect(judge([RULE], reports, [], true).map(({ process, value, holds }) => [process, value, holds])).toEqual([
    ['api', 0.9, true],
    ['mailer', 0.1, false],
  ]);
});

test('what is wrong is said with both numbers of a share, bytes as megabytes', () => {
  const memory: AlertRule = { ...RULE, metric: 'used_bytes', per: 'limit_bytes' };
  const MB = 1024 * 1024;
  const reports = [report('api', { used: 42, allowed: 37, used_bytes: 476 * MB, limit_bytes: 512 * MB })];
  expect(judge([RULE, memory], reports, [], true).map(({ detail }) => detail)).toEqual([
    `api (pid ${process.pid}): 42 of 37, 114 % (above 80 %)`,
    `api (pid ${process.pid}): 476 of 512 MB, 93 % (above 80 %)`,
  ]);
});

test('an alert about processes of which none runs any more does not hold, if all reports could be read', () => {
  const [state] = through([0, true]) as [AlertState];
  expect(judge([RULE], [], [state], true)).toMatchObject([{ process: 'api', holds: false }]);
  expect(judge([RULE], [], [state], false)).toEqual([]);
});

test.each(alerts.map((rule) => [rule.name, rule] as const))(
  '%s holds beyond its threshold and not in calm',
  (_, rule) => {
    const { calm, trouble } = examples(rule);
    const held = (value: number) => {
      const values = {
        [rule.metric]: value * (rule.per === undefined ? 1 : 1_000),
        ...(rule.per ? { [rule.per]: 1_000 } : {}),
      };
      return judge([rule], [report('api', rule.recent ? {} : values, rule.recent ? values : {})], [], true)[0]?.holds;
    };
    expect([held(calm), held(trouble)]).toEqual([false, true]);
    // What to do is said in whole sentences.
    expect(rule.says).toMatch(/^[A-Z].*[^.]$/);
    expect(rule.look).toMatch(/[.)]$/);
  },
);

test('a share of few says nothing', () => {
  const rule: AlertRule = { ...RULE, atLeast: 20 };
  const held = (used: number, allowed: number) => judge([rule], [report('api', { used, allowed })], [], true)[0]?.holds;
  expect([held(9, 10), held(19, 20), held(20, 20)]).toEqual([false, false, true]);
});
