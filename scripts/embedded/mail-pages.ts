/** The mail catcher's two pages. Everything that comes from a mail goes through `escapeHtml`. */
import type { Email } from 'postal-mime';
import type { Mail } from './mail-store.ts';

export function listPage({ total, mails }: { total: number; mails: Mail[] }, accepted: number, url: URL): string {
  const to = url.searchParams.get('to') ?? '';
  const last = mails.at(-1);
  const older = new URLSearchParams({ ...(to === '' ? {} : { to }), before: String(last?.id ?? 0) });
  const newest = to === '' ? '/' : `/?${new URLSearchParams({ to })}`;
  const rows = mails.map(
    (mail) => `<tr>
      <td><a href="/mail/${mail.id}">${escapeHtml(mail.subject || '(no subject)')}</a></td>
      <td>${escapeHtml(mail.to)}</td>
      <td>${escapeHtml(mail.from)}</td>
      <td><time datetime="${isoTime(mail)}">${isoTime(mail).slice(0, 19).replace('T', ' ')}</time></td>
    </tr>`,
  );
  const nothing =
    to === '' ? 'No mail yet. Mail that the product sends shows up here automatically.' : 'No mail to that recipient.';
  const table = `<table>
    <thead><tr><th>Subject</th><th>To</th><th>From</th><th>Time (UTC)</th></tr></thead>
    <tbody>${rows.join('')}</tbody>
  </table>`;
  return layout(
    'Caught mail',
    `<header>
      <h1>Caught mail</h1>
      <form action="/" role="search">
        <label>Recipient <input type="search" name="to" value="${escapeHtml(to)}" placeholder="name@example.com"></label>
        <button>Search</button>
      </form>
    </header>
    <main${url.searchParams.has('before') ? '' : ' data-refresh'}>
      <p>${total.toLocaleString('en')} ${to === '' ? 'kept' : 'found'}, ${accepted.toLocaleString('en')} accepted in total. Nothing is delivered.</p>
      ${mails.length === 0 ? `<p class="nothing">${nothing}</p>` : table}
      <nav>
        ${url.searchParams.has('before') ? `<a href="${escapeHtml(newest)}">Newest</a>` : ''}
        ${last !== undefined && mails.length < total ? `<a href="/?${escapeHtml(older.toString())}" rel="next">Older</a>` : ''}
      </nav>
    </main>
    <script src="/refresh.js" defer></script>`,
  );
}

export function mailPage(mail: Mail, email: Email): string {
  const headers = email.headers.map(
    ({ originalKey, value }) => `<tr><th scope="row">${escapeHtml(originalKey)}</th><td>${escapeHtml(value)}</td></tr>`,
  );
  const attachments = email.attachments.map(
    ({ filename, mimeType }) =>
      `<li>${escapeHtml(filename ?? '(no name)')} <small>${escapeHtml(mimeType)}</small></li>`,
  );
  return layout(
    mail.subject || '(no subject)',
    `<header><h1>${escapeHtml(mail.subject || '(no subject)')}</h1><a href="/">All mail</a></header>
    <main>
      <p>From ${escapeHtml(mail.from)} to ${escapeHtml(mail.to)}, ${isoTime(mail)}. <a href="/mail/${mail.id}/raw">Source</a></p>
      ${email.text ? `<h2>Text</h2><pre>${linked(email.text)}</pre>` : ''}
      ${email.html ? `<h2>HTML</h2><iframe title="The mail as HTML" sandbox="allow-popups allow-popups-to-escape-sandbox" src="/mail/${mail.id}/html"></iframe>` : ''}
      ${attachments.length > 0 ? `<h2>Attachments</h2><ul>${attachments.join('')}</ul>` : ''}
      <h2>Headers</h2>
      <table class="headers"><tbody>${headers.join('')}</tbody></table>
    </main>`,
  );
}

function layout(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${escapeHtml(title)}</title>
  <link rel="stylesheet" href="/style.css">
</head>
<body>
${body}
</body>
</html>`;
}

/** Turns URLs in the text into links, so that a check-in can be opened from here. */
function linked(text: string): string {
  return text
    .split(/(https?:\/\/[^\s<>"']+)/)
    .map((part, index) =>
      index % 2 === 0
        ? escapeHtml(part)
        : `<a href="${escapeHtml(part)}" target="_blank" rel="noreferrer">${escapeHtml(part)}</a>`,
    )
    .join('');
}

function isoTime({ at }: Mail): string {
  return new Date(at).toISOString();
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeHtml(value: string): string {
  return value.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}

/** Replaces the list with the current one; the search box and its text are kept. */
export const REFRESH_SCRIPT = `const EVERY_MS = 2000;
setInterval(async () => {
  const main = document.querySelector('main[data-refresh]');
  if (!main || document.hidden) return;
  try {
    const fresh = new DOMParser().parseFromString(await (await fetch(location.href)).text(), 'text/html');
    const next = fresh.querySelector('main');
    if (next && next.innerHTML !== main.innerHTML) main.replaceWith(next);
  } catch {
    // The mail catcher is restarting: the next attempt will reach it.
  }
}, EVERY_MS);
`;

export const STYLE = `* { box-sizing: border-box; }
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 70rem; margin: 0 auto; padding: 1rem; }
header { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; justify-content: space-between; }
h1 { font-size: 1.4rem; margin: 0; }
h2 { font-size: 1rem; margin: 1.5rem 0 0.5rem; }
input, button { font: inherit; padding: 0.3rem 0.6rem; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; padding: 0.4rem 0.6rem 0.4rem 0; border-bottom: 1px solid #8884; overflow-wrap: anywhere; }
td:last-child { white-space: nowrap; font-variant-numeric: tabular-nums; }
.headers th { width: 14rem; vertical-align: top; }
.headers td { white-space: normal; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: 1rem; border: 1px solid #8884; border-radius: 6px; }
iframe { width: 100%; height: 28rem; border: 1px solid #8884; border-radius: 6px; background: #fff; }
nav { display: flex; gap: 1rem; margin-top: 1rem; }
@media (max-width: 40rem) {
  main > table:not(.headers) :is(thead, td:nth-child(3)) { display: none; }
  main > table:not(.headers) tr { display: block; padding: 0.5rem 0; border-bottom: 1px solid #8884; }
  main > table:not(.headers) td { display: block; padding: 0; border: 0; }
  .headers th { width: 7rem; }
}
.nothing { padding: 3rem 0; text-align: center; opacity: 0.7; }
`;
