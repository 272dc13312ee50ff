import type { Config } from '../../config.ts';
import { escapeHtml } from '../../mail/escape-html.ts';
import type { Mail } from '../../mail/transport.ts';
import { parseMailbox } from '../../mail-address.ts';
import { WEBHOOK_DELIVERY_DAYS, WEBHOOK_FAILING_MS, WEBHOOK_WAITING_MAX } from './limits.ts';
import type { Notice } from './notice-queries.ts';
import type { Reason } from './turning-off.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

/** The same notice always gives the same mail: a second copy can be told by its Message-ID. */
export function noticeMail(
  { mailFrom, apiUrl }: Pick<Config, 'mailFrom' | 'apiUrl'>,
  { orgId, endpointId }: { readonly orgId: number; readonly endpointId: number },
  notice: Notice,
): Mail {
  const from = parseMailbox(mailFrom) ?? { name: '', address: mailFrom };
  const page = `${apiUrl}/#/settings/webhooks/${endpointId}`;
  // The path of an address can hold a token, and mails are forwarded.
  const host = new URL(notice.url).host;
  const subject = `Your webhook to ${host} was turned off`;
  const paragraphs = [
    `Hello ${notice.owner.name},`,
    `${WHY[notice.because](host)} The webhook of ${notice.organisation} is therefore turned off, and events that happen from now on are not kept for it.`,
    ...(notice.lastError === null ? [] : [`The last thing that went wrong: ${notice.lastError}`]),
    `If you still need it: mend the receiver, enable the webhook on its page, send a test event, and then send the failed deliveries again. They can be sent again for ${WEBHOOK_DELIVERY_DAYS} days. If you do not need it any more, delete it there.`,
  ];
  const end = `You get this because you are an owner of ${notice.organisation}.`;
  const at = new Date(notice.disabledAt).getTime();
  return {
    from,
    to: notice.owner.email,
    subject,
    text: `${[...paragraphs, `The webhook:\n${page}`, `--\n${end}`].join('\n\n')}\n`,
    html: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(subject)}</title></head>
<body style="font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif">
${paragraphs.map((paragraph) => `<p style="margin:0 0 12px">${escapeHtml(paragraph)}</p>`).join('\n')}
<p style="margin:0 0 12px"><a href="${escapeHtml(page)}">Open the webhook</a></p>
<p style="color:#5b6f6a;font-size:13px">${escapeHtml(end)}</p>
</body></html>
`,
    messageId: `<webhook-${orgId}-${endpointId}-${at}-${notice.owner.id}@${from.address.split('@')[1]}>`,
    headers: { 'Auto-Submitted': 'auto-generated' },
  };
}

const WHY: Readonly<Record<Reason, (host: string) => string>> = {
  gone: (host) => `${host} answered an event with 410 Gone, which means that it wants no more of them.`,
  failing: (host) => `${host} has not accepted a single event for ${WEBHOOK_FAILING_MS / DAY_MS} days.`,
  backlog: (host) => `${WEBHOOK_WAITING_MAX.toLocaleString('en')} events were waiting for ${host}, which is the most.`,
};
