import { expect, test } from 'vitest';
import { findPostfix } from '../../../bench/mail/postfix.ts';
import { deliveriesIn } from '../../../bench/mail/postfix-log.ts';

const mail = (queueId: string, messageId: string, to: string, status = 'sent (to)') => `\
Nov 26 05:25:16 postfix postfix/smtpd[101]: ${queueId}: client=unknown[127.0.0.1]
Nov 26 05:25:16 postfix postfix/cleanup[102]: ${queueId}: message-id=${messageId}
Nov 26 05:25:16 postfix postfix/qmgr[103]: ${queueId}: from=<us@mail.test>, size=2841, nrcpt=1 (queue active)
Nov 26 05:25:16 postfix postfix/discard[104]: ${queueId}: to=<${to}>, relay=none, delay=0.01, delays=0/0/0/0, dsn=2.0.0, status=${status}
Nov 26 05:25:16 postfix postfix/qmgr[103]: ${queueId}: removed
`;

test('a mail that Postfix took twice counts twice, whatever queue ids it got', () => {
  const log = mail('4abc1', '<1@x.test>', 'a@x.test') + mail('4abc2', '<2@x.test>', 'b@x.test');
  const again = mail('4abc3', '<1@x.test>', 'a@x.test');
  expect([...deliveriesIn(log + again)]).toEqual([
    ['<1@x.test> a@x.test', 2],
    ['<2@x.test> b@x.test', 1],
  ]);
});

test('a mail that was not delivered is not counted', () => {
  expect(deliveriesIn(mail('4abc1', '<1@x.test>', 'a@x.test', 'deferred (later)')).size).toBe(0);
});

test('without Postfix it says how to install it', () => {
  expect(() => findPostfix('/nowhere')).toThrow('apt-get install');
});
