/** Mails as mail servers write them: a bounce as Postfix does (RFC 3464), a complaint as a large provider does (RFC 5965). */

export interface BounceParts {
  readonly action?: string;
  readonly status?: string;
  readonly diagnostic?: string;
  readonly messageId?: string;
  readonly returnedAs?: string;
}

export function bounceMail({
  action = 'failed',
  status = '5.1.1',
  diagnostic = 'smtp; 550 5.1.1 <gone@corp.test>: User unknown',
  messageId,
  returnedAs = 'message/rfc822',
}: BounceParts): string {
  return lines(
    'From: MAILER-DAEMON@mx.corp.test (Mail Delivery System)',
    'To: whoever@sent.it',
    'Subject: Undelivered Mail Returned to Sender',
    'Auto-Submitted: auto-replied',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=delivery-status;',
    '\tboundary="8A2F.1/mx.corp.test"',
    '',
    '--8A2F.1/mx.corp.test',
    'Content-Description: Notification',
    'Content-Type: text/plain; charset=us-ascii',
    '',
    "I'm sorry to have to inform you that your message could not be delivered.",
    '',
    '--8A2F.1/mx.corp.test',
    'Content-Description: Delivery report',
    'Content-Type: message/delivery-status',
    '',
    'Reporting-MTA: dns; mx.corp.test',
    'X-Postfix-Queue-ID: 8A2F',
    'Arrival-Date: Thu, 26 Nov 2026 05:00:00 +0000 (UTC)',
    '',
    'Final-Recipient: rfc822; gone@corp.test',
    'Original-Recipient: rfc822;gone@corp.test',
    `Action: ${action}`,
    ...(status === '' ? [] : [`Status: ${status}`]),
    ...(diagnostic === '' ? [] : [`Diagnostic-Code: ${diagnostic.replace(': ', ':\r\n    ')}`]),
    '',
    '--8A2F.1/mx.corp.test',
    'Content-Description: Undelivered Message',
    `Content-Type: ${returnedAs}`,
    '',
    ...(messageId === undefined ? [] : [`Message-ID: ${messageId}`]),
    'From: Acme <hello@acme.test>',
    'Subject: How are you?',
    '',
    'Hello',
    '',
    '--8A2F.1/mx.corp.test--',
  );
}

export interface ComplaintParts {
  readonly type?: string;
  readonly messageId?: string;
  readonly originalMailFrom?: string;
}

export function complaintMail({ type = 'abuse', messageId, originalMailFrom }: ComplaintParts): string {
  return lines(
    'From: feedback@provider.test',
    'To: complaints@bounces.test',
    'Subject: Abuse report',
    'MIME-Version: 1.0',
    'Content-Type: multipart/report; report-type=feedback-report; boundary="part"',
    '',
    '--part',
    'Content-Type: text/plain',
    '',
    'This is an email abuse report.',
    '--part',
    'Content-Type: message/feedback-report',
    '',
    `Feedback-Type: ${type}`,
    'User-Agent: SomeProvider/1.0',
    'Version: 1',
    ...(originalMailFrom === undefined ? [] : [`Original-Mail-From: ${originalMailFrom}`]),
    '',
    '--part',
    'Content-Type: message/rfc822',
    'Content-Disposition: inline',
    '',
    ...(messageId === undefined ? [] : [`Message-ID: ${messageId}`]),
    'From: Acme <hello@acme.test>',
    'To: redacted@provider.test',
    '',
    'Hello',
    '--part--',
  );
}

function lines(...text: string[]): string {
  return `${text.join('\r\n')}\r\n`;
}
