/**
 * What it is: the mailers judge the same rules as Prometheus, and write a mail to ALERT_MAIL_TO when one of them holds,
 *   and another when it is over.
 * What fails without it: a small deployment has no Prometheus and nobody who looks. The first to hear that the disk is
 *   full are its customers.
 * How it works: every process reports its gauges, and the growth of its counters, to Redis; the mailers add what only the
 *   whole knows (deployment.ts). Each of them judges everything (judge.ts); the state of each alert is a row that they
 *   take turns with (alert-store.ts), and the one that marks the row as being told writes the mail. A mail names all that
 *   is news at that moment, so that one fault with five symptoms is one mail. Without ALERT_MAIL_TO it is logged.
 * What it costs: every WATCH_EVERY_MS a read of all reports, one query of the server's own statistics and one of the
 *   alerts. A crash between the mail and its note sends the mail twice, with the same Message-ID.
 * Its bound: ALERTS_PER_MAIL_MAX, ALERT_RECIPIENTS_MAX; an alert is told again only after it was over for ALERT_OVER_MS.
 *   When no mailer runs, or the mail server is what fails, nobody is told by mail: an outside probe of /readyz tells.
 * Its proof: test/modules/operations/alerts.test.ts, test/process/alert-before-full.test.ts, bench/scenarios/alerts.ts.
 */
import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Config } from '../../config.ts';
import type { Database } from '../../db/read-write-split.ts';
import type { Log } from '../../log.ts';
import type { Mailing } from '../../mail/mailing.ts';
import { parseMailbox } from '../../mail-address.ts';
import { type AlertRule, type AlertState, nextState } from '../../process/alert-before-full.ts';
import type { ProcessReport } from '../../process/metrics.ts';
import { readReports } from '../../redis/process-reports.ts';
import { alertMail } from './alert-mail.ts';
import { afterMail, isDue, keyOf } from './alert-state.ts';
import { createAlertStore } from './alert-store.ts';
import { judge } from './judge.ts';
import { ALERT_SEND_MS, ALERTS_PER_MAIL_MAX } from './limits.ts';

export interface AlertParts {
  readonly config: Pick<Config, 'alertMailTo' | 'mailFrom' | 'apiUrl'>;
  readonly database: Database;
  readonly redis: Redis;
  readonly mail: Pick<Mailing, 'send'>;
  readonly log: Log;
  readonly rules: readonly AlertRule[];
  /** Of this process, for when Redis, which has everyone's, is unavailable. */
  readonly report: () => ProcessReport;
}

/** Returns what is run every WATCH_EVERY_MS: judges all rules, and tells what is news. */
export function createAlerts(parts: AlertParts): (signal: AbortSignal) => Promise<void> {
  const { config, redis, log, rules } = parts;
  const store = createAlertStore(parts.database);
  let telling: Promise<void> | undefined;

  async function judgeAll(): Promise<AlertState[]> {
    const reports = await readReports(redis).catch(() => undefined);
    const now = Date.now();
    let news: AlertState[] = [];
    let turns: (readonly [before: AlertState | undefined, after: AlertState | undefined])[] = [];
    await store.update((states) => {
      // A transaction can run again.
      turns = [];
      const byKey = new Map(states.map((state) => [keyOf(state), state]));
      const changed = new Map<string, AlertState | undefined>();
      for (const judgement of judge(rules, reports ?? [parts.report()], states, reports !== undefined)) {
        const key = keyOf({ rule: judgement.rule.name, process: judgement.process });
        const before = byKey.get(key);
        const after = nextState(before, judgement, now);
        if (before === undefined && after === undefined) continue;
        changed.set(key, after);
        turns.push([before, after]);
      }
      // What is told is claimed here, in the same transaction: one mailer gets it.
      news = telling === undefined ? dueOf(new Map([...byKey, ...changed]), now) : [];
      for (const state of news) changed.set(keyOf(state), state);
      return changed;
    });
    for (const [before, after] of turns) noteInLog(log, before, after);
    return news;
  }

  async function tell(news: readonly AlertState[], signal: AbortSignal): Promise<void> {
    const wasTold = await send(news, signal);
    await store.update((states) => {
      const current = new Map(states.map((state) => [keyOf(state), state]));
      return new Map(
        news.flatMap((told) => {
          const key = keyOf(told);
          const state = current.get(key);
          if (state === undefined) return [];
          return [[key, wasTold ? afterMail(state, told, Date.now()) : { ...state, tellingSince: null }]];
        }),
      );
    });
  }

  async function send(news: readonly AlertState[], signal: AbortSignal): Promise<boolean> {
    if (config.alertMailTo.length === 0) return true;
    const id = createHash('sha256').update(JSON.stringify(news.map((one) => [keyOf(one), one.firedAt, one.overAt])));
    const text = alertMail(news, rules, config.apiUrl);
    const from = parseMailbox(config.mailFrom) ?? { name: '', address: config.mailFrom };
    const messageId = `<alert-${id.digest('hex').slice(0, 32)}@${from.address.split('@')[1]}>`;
    const until = AbortSignal.any([signal, AbortSignal.timeout(ALERT_SEND_MS)]);
    const outcomes = await Promise.all(
      config.alertMailTo.map((to) =>
        parts.mail.send(
          { ...text, from, to, messageId, headers: { 'Auto-Submitted': 'auto-generated' } },
          { withdraw: until, giveUp: until },
        ),
      ),
    );
    for (const outcome of outcomes)
      if (outcome.kind === 'refused') log.error({ outcome }, 'an address in ALERT_MAIL_TO takes no mail');
    // Who has refused for good is not asked again; a server that may have the mail is not sent it again.
    return outcomes.every(({ kind }) => kind === 'sent' || kind === 'unanswered' || kind === 'refused');
  }

  return async (signal) => {
    const news = await judgeAll();
    if (news.length === 0) return;
    // Not awaited: a slow mail server must not stop the judging.
    telling = tell(news, signal)
      .catch((error) => log.error({ err: error }, 'an alert could not be told; it will be tried again'))
      .finally(() => {
        telling = undefined;
      });
  };
}

function dueOf(states: ReadonlyMap<string, AlertState | undefined>, now: number): AlertState[] {
  const due = [...states.values()].filter((state) => state !== undefined && isDue(state, now)) as AlertState[];
  return due.slice(0, ALERTS_PER_MAIL_MAX).map((state) => ({ ...state, tellingSince: now }));
}

function noteInLog(log: Log, before: AlertState | undefined, after: AlertState | undefined): void {
  if (after?.firedAt != null && before?.firedAt == null)
    log.error({ alert: after.rule, process: after.process, detail: after.detail }, 'an alert fires');
  if (after?.overAt != null && before?.overAt == null)
    log.info({ alert: after.rule, process: after.process }, 'an alert is over');
}
