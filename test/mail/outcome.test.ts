import { expect, test } from 'vitest';
import { isHardBounce, type MailError, outcomeOf } from '../../src/mail/outcome.ts';

/** As nodemailer reports the answer to a command. */
function answered(
  command: string,
  response: string,
  code = command === 'final dot' ? 'EMESSAGE' : 'EENVELOPE',
): MailError {
  return {
    message: `Refused: ${response}`,
    code,
    command: command === 'final dot' ? 'DATA' : command,
    responseCode: Number(response.slice(0, 3)),
    response,
  };
}

test.each([
  ['550 5.7.60 client is not allowed to send as this sender', 'sender'],
  ['530 5.7.0 authentication required', 'sender'],
  ['530 5.7.57 Client not authenticated to send mail', 'sender'],
  ['550 5.4.5 Daily user sending limit exceeded', 'sender'],
  ['553 5.7.1 <a@b.test>: Sender address rejected: not owned by user us', 'sender'],
  ['554 Message rejected: Email address is not verified', 'sender'],
  ['550 5.1.8 Sender address rejected: Domain not found', 'sender'],
  ['535 5.7.8 Error: authentication failed', 'sender'],
  ['550 no', 'sender'],
  ['501 5.1.7 Bad sender address syntax', 'sender'],
  ['450 4.1.8 Sender address rejected: Domain not found', 'sender'],
  ['421 4.7.0 Try again later, closing connection', 'server'],
  ['451 4.3.0 Temporary server error', 'server'],
  ['452 4.3.1 Insufficient system storage', 'server'],
  ['503 5.5.1 Bad sequence of commands', 'server'],
  ['454 Throttling failure: Maximum sending rate exceeded.', 'rate'],
  ['450 4.7.1 Error: too many messages from your address', 'rate'],
] as const)('to MAIL FROM: %s holds all mails back, because of the %s', (response, about) => {
  expect(outcomeOf(answered('MAIL FROM', response), false)).toMatchObject({ kind: 'held', about });
});

test('a mail that is larger than the server takes is refused by its size, at MAIL FROM', () => {
  expect(outcomeOf(answered('MAIL FROM', '552 5.3.4 Message size exceeds fixed limit'), false)).toMatchObject({
    kind: 'refused',
    about: 'mail',
  });
});

test.each([
  ['550 5.1.1 <x@y.test>: Recipient address rejected: User unknown in local recipient table', 'refused'],
  ['550 No such user here', 'refused'],
  ['551 User not local', 'refused'],
  ['553 5.1.3 bad destination mailbox syntax', 'refused'],
  ['501 5.5.4 Invalid arguments', 'refused'],
  ['550 5.2.1 The email account that you tried to reach is disabled', 'refused'],
  ['552 5.2.2 The recipient is over quota', 'refused'],
  ['550 5.4.1 Recipient address rejected: Access denied', 'refused'],
  ['550 5.7.1 Recipient address rejected: this group takes no mail from outside', 'refused'],
  ['550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup', 'refused'],
  ['556 5.1.10 Recipient address has null MX', 'refused'],
  ['554 5.5.0 whatever', 'refused'],
  ['450 4.2.0 Recipient address rejected: Greylisted', 'deferred'],
  ['451 4.7.1 Greylisting in action, please come back later', 'deferred'],
  ['450 4.2.1 The user you are trying to contact is receiving mail too quickly', 'deferred'],
  ['452 4.2.2 The recipient is over quota', 'deferred'],
  ['450 busy', 'deferred'],
  ['451 4.4.1 No answer from host', 'deferred'],
] as const)('to RCPT TO: %s is about the recipient, %s', (response, kind) => {
  expect(outcomeOf(answered('RCPT TO', response), false)).toMatchObject({ kind, about: 'recipient' });
});

test.each([
  ['554 5.7.1 <x@y.test>: Relay access denied', 'sender'],
  ['550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain', 'sender'],
  ['550 5.7.1 Unable to relay', 'sender'],
  ['554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org', 'sender'],
  ['550 5.7.606 Access denied, banned sending IP', 'sender'],
  ['550 5.4.5 Daily sending quota exceeded', 'sender'],
  ['550 Daily sending quota exceeded', 'sender'],
  ['550 5.7.26 This mail is unauthenticated', 'sender'],
  ['530 Must issue a STARTTLS command first', 'sender'],
  ['454 4.7.0 Throttling failure: Daily message quota exceeded', 'sender'],
  ['421 4.7.0 Temporary System Problem. Try again later', 'server'],
  ['451 4.3.5 Server configuration problem', 'server'],
  ['452 4.3.1 Insufficient system storage', 'server'],
  ['451 4.7.0 Temporary failure', 'server'],
  ['502 command not implemented', 'server'],
  ['454 4.7.0 throttling failure: maximum sending rate exceeded', 'rate'],
  ['421 4.7.28 Our system has detected an unusual rate of unsolicited mail', 'rate'],
  ['421 Too many connections', 'rate'],
  ['432 4.3.2 Concurrent connections limit exceeded', 'rate'],
  ['452 4.5.3 Too many recipients', 'rate'],
  ['550 5.7.0 Requested action not taken: too many emails per second', 'rate'],
] as const)('to RCPT TO: %s is about the %s, whoever the recipient is', (response, about) => {
  for (const command of ['RCPT TO', 'DATA'])
    expect(outcomeOf(answered(command, response), false)).toMatchObject({ kind: 'held', about });
});

test.each([
  ['554 5.7.1 Message rejected as spam', 'refused', 'mail'],
  ['550 5.6.0 Content rejected', 'refused', 'mail'],
  ['552 5.3.4 Message too big', 'refused', 'mail'],
  ['554 Transaction failed', 'refused', 'mail'],
  ['550 5.1.1 no such user', 'refused', 'recipient'],
  ['451 4.6.0 content scanner is busy', 'deferred', 'mail'],
] as const)('after the final dot: %s is %s, about the %s', (response, kind, about) => {
  expect(outcomeOf(answered('final dot', response), true)).toMatchObject({ kind, about });
});

test.each([
  ['454 4.7.0 Temporary authentication failure', 'sender'],
  ['554 5.7.1 Sender address rejected: not verified', 'sender'],
  ['451 4.3.0 queue file write error', 'server'],
  ['451 Requested action aborted: local error in processing', 'server'],
  ['421 4.3.2 Service shutting down', 'server'],
  ['454 Throttling failure: Maximum sending rate exceeded.', 'rate'],
] as const)('after the final dot: %s was not taken, because of the %s', (response, about) => {
  expect(outcomeOf(answered('final dot', response), true)).toMatchObject({ kind: 'held', about });
});

test.each([
  [{ code: 'ECONNECTION', command: 'CONN', message: 'Connection closed' }, 'server'],
  [{ code: 'ETIMEDOUT', command: 'CONN', message: 'Greeting never received' }, 'server'],
  [{ code: 'EDNS', command: 'CONN', message: 'getaddrinfo ENOTFOUND' }, 'server'],
  [{ code: 'ETLS', command: 'STARTTLS', message: 'certificate has expired' }, 'server'],
  [answered('CONN', '554 5.7.1 no service', 'EPROTOCOL'), 'server'],
  [answered('EHLO', '421 too busy', 'ECONNECTION'), 'server'],
  [answered('CONN', '421 4.7.0 Too many connections', 'EPROTOCOL'), 'rate'],
  [answered('AUTH PLAIN', '535 5.7.8 bad credentials', 'EAUTH'), 'sender'],
  [answered('AUTH LOGIN', '454 4.7.0 Temporary authentication failure', 'EAUTH'), 'sender'],
] as const)('before the mail: %j holds all mails back, because of the %s', (error, about) => {
  expect(outcomeOf(error, false)).toMatchObject({ kind: 'held', about });
});

test('a mail of which all was transmitted and that got no answer may have been taken', () => {
  expect(outcomeOf({ code: 'ETIMEDOUT', command: 'CONN', message: 'Timeout' }, true)).toEqual({
    kind: 'unanswered',
    after: 'silence',
    reason: 'Timeout',
  });
  expect(outcomeOf({ code: 'ECONNECTION', command: 'CONN', message: 'Connection closed' }, true)).toMatchObject({
    kind: 'unanswered',
    after: 'break',
  });
});

test.each([
  '550-5.7.1 [192.0.2.1] Our system has detected that this message is likely unsolicited mail.\r\n550 5.7.1 gsmtp',
  '554 5.7.1 Message rejected as spam',
  '550 High probability of spam',
])('what a server thinks of the mail says nothing about the mailbox: to RCPT TO, %s', (response) => {
  const outcome = outcomeOf(answered('RCPT TO', response), false);
  expect(outcome).toMatchObject({ kind: 'refused', about: 'mail' });
  expect(isHardBounce(outcome)).toBe(false);
});

test('a reason has no characters that nobody can see, and none that the database refuses', () => {
  const outcome = outcomeOf(answered('RCPT TO', '550 5.1.1 no\u0000 such\u0007\u009b \u202euser\u0000'), false);
  expect(outcome).toMatchObject({ reason: 'Refused: 550 5.1.1 no such user' });
  const cut = outcomeOf(answered('RCPT TO', `550 5.1.1 ${'😀'.repeat(300)}`), false);
  expect('reason' in cut && cut.reason.isWellFormed()).toBe(true);
});

test('the reason is one line of limited length', () => {
  const outcome = outcomeOf(answered('RCPT TO', `550 5.1.1 ${'no '.repeat(500)}\r\nX: y`), false);
  expect(outcome).toMatchObject({ reason: expect.stringMatching(/^[^\r\n]{1,300}$/) });
});

test.each([
  ['MAIL FROM', '550 5.4.5 Daily user sending limit exceeded'],
  ['MAIL FROM', '454 Throttling failure: Daily message quota exceeded.'],
  ['MAIL FROM', '450 4.7.1 You have sent too many messages per day'],
  ['RCPT TO', '550 Daily sending quota exceeded'],
  ['RCPT TO', '452 4.5.3 hourly limit of recipients reached'],
  ['MAIL FROM', '421 4.7.0 monthly limit reached, closing connection'],
])('a quota is not a rate: to %s, %s is about the sender, and being slower does not help', (command, response) => {
  expect(outcomeOf(answered(command, response), false)).toMatchObject({ kind: 'held', about: 'sender', isQuota: true });
});

test('the quota of a mailbox is not ours', () => {
  expect(outcomeOf(answered('RCPT TO', '452 4.2.2 The recipient is over quota'), false)).not.toHaveProperty('isQuota');
});

test.each([
  '550 No such user: relay@corp.test',
  '550 Unknown user daily@corp.test',
  '550 mailbox unavailable <spf@sender.test>',
  '550 5.0.0 no mailbox for "rate@blacklist.test" here',
  '450 <ada@too-many-messages.test>: mailbox busy',
  '450 4.2.0 Greylisted, see http://grey.test/help/rate/daily',
  '450 4.7.1 Greylisting in effect: at this rate, try again in 3600 seconds',
])('an address or a path that a server quotes says nothing about us: %s', (response) => {
  const kind = response.startsWith('5') ? 'refused' : 'deferred';
  expect(outcomeOf(answered('RCPT TO', response), false)).toMatchObject({ kind, about: 'recipient' });
});

test.each(['452 Mailbox quota exceeded', '450 user is over quota', '452 recipient storage full, mailbox is full'])(
  'a full mailbox is no quota of ours, also without an enhanced code: %s',
  (response) => {
    const outcome = outcomeOf(answered('RCPT TO', response), false);
    expect(outcome).toMatchObject({ kind: 'deferred', about: 'recipient' });
  },
);

test.each([
  ['MAIL FROM', "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients"],
  ['RCPT TO', "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients"],
  ['final dot', "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients"],
  ['MAIL FROM', '552 5.2.2 us@corp.test is over quota'],
  ['MAIL FROM', '451 Authentication failed: Maximum credits exceeded'],
  ['final dot', '550 Maximum credits exceeded'],
  ['final dot', '554 5.2.252 SendAsDenied; us@corp.test not allowed to send as other@corp.test'],
  ['final dot', '554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; Failed to process message'],
  ['final dot', '554 Access denied: User `arn:mailer` is not authorized to perform `ses:SendRawEmail`'],
  ['final dot', '554 Sending paused for this account. For more information, please check the inbox'],
  ['RCPT TO', "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"],
] as const)('what providers say about our account holds all mails back: to %s, %s', (command, response) => {
  const outcome = outcomeOf(answered(command, response), command === 'final dot');
  expect(outcome).toMatchObject({ kind: 'held', about: 'sender' });
});

test.each(['garbage', '999 what', '100 continue', '354 too early'])(
  'what is no answer of SMTP is the fault of the server and of no recipient: %s',
  (response) => {
    const code = Number(/^\d{3}/.exec(response)?.[0] ?? Number.NaN);
    const error = { ...answered('RCPT TO', response), responseCode: code };
    expect(outcomeOf(error, false)).toMatchObject({ kind: 'held', about: 'server' });
    const { responseCode: _, ...without } = error;
    expect(outcomeOf(without, false)).toMatchObject({ kind: 'held', about: 'server' });
    expect(outcomeOf({ ...error, command: 'DATA' }, true)).toMatchObject({ kind: 'unanswered', after: 'break' });
  },
);
