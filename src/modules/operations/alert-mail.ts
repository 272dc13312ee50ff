import { escapeHtml } from '../../mail/escape-html.ts';
import type { AlertRule, AlertState } from '../../process/alert-before-full.ts';
import { clock } from './clock.ts';

export interface AlertMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** One mail about everything that is news: what fires first, then what is over. */
export function alertMail(news: readonly AlertState[], rules: readonly AlertRule[], apiUrl: string): AlertMail {
  const ruleOf = ({ rule }: AlertState) => rules.find(({ name }) => name === rule);
  const rank = (state: AlertState) => (state.overAt !== null ? 2 : ruleOf(state)?.severity === 'now' ? 0 : 1);
  const sorted = news.toSorted((a, b) => rank(a) - rank(b) || a.since - b.since);
  const [first] = sorted;
  if (first === undefined) throw new Error('There is no mail about nothing');
  const says = (state: AlertState) => ruleOf(state)?.says ?? state.rule;
  const more = sorted.length > 1 ? ` (and ${sorted.length - 1} more)` : '';
  const subject = `${first.overAt === null ? '' : 'Over: '}${says(first)}${more}`;
  const blocks = sorted.map((state) =>
    state.overAt === null
      ? {
          title: `${says(state)} [${state.rule}]`,
          lines: [`${state.detail}, since ${clock(state.since)}.`, ruleOf(state)?.look ?? ''],
        }
      : {
          title: `Over: ${says(state)} [${state.rule}]`,
          lines: [
            `It lasted from ${clock(state.since)} to ${clock(state.clearSince ?? state.overAt)}. Last seen: ${state.detail}.`,
          ],
        },
  );
  const page = `${apiUrl}/#/operations`;
  const end = 'You get one mail when something begins and one when it is over. ALERT_MAIL_TO says who gets them.';
  const text = [
    ...blocks.map(({ title, lines }) => [title, ...lines.filter((line) => line !== '')].join('\n')),
    `Every process, queue and server, for those in OPERATORS: ${page}\nOn the machine: npm run doctor`,
    `--\n${end}`,
  ].join('\n\n');
  const html = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(subject)}</title></head>
<body style="font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif">
${blocks.map(({ title, lines }) => `<h3 style="margin:16px 0 4px">${escapeHtml(title)}</h3>\n${lines.map((line) => `<p style="margin:0 0 8px">${escapeHtml(line)}</p>`).join('\n')}`).join('\n')}
<p>Every process, queue and server, for those in OPERATORS: <a href="${escapeHtml(page)}">${escapeHtml(page)}</a><br>On the machine: <code>npm run doctor</code></p>
<p style="color:#5b6f6a;font-size:13px">${escapeHtml(end)}</p>
</body></html>
`;
  return { subject, text: `${text}\n`, html };
}
