import { el } from '/assets/el.js';

/**
 * The mail as its reader sees it, in a frame that can neither run script nor load anything.
 *
 * A frame made from a string inherits this page's Content-Security-Policy, which refuses inline styles, and mails
 * have nothing else. So the markup is parsed without its styles, and they are set afterwards through the CSSOM, which
 * the policy allows. `allow-same-origin` without `allow-scripts` lets this page reach in, and nothing reach out.
 * @param {Answer<'/api/v1/campaigns/preview', 'post'>} mail
 */
export function mailPreview({ subject, html, text }) {
  const frame = el('iframe', { title: 'The email', sandbox: 'allow-same-origin', class: 'mail' });
  frame.addEventListener('load', () => showIn(frame, html), { once: true });
  return [
    el('p', { class: 'subject' }, el('span', { class: 'soft' }, 'Subject '), subject),
    frame,
    el('details', null, el('summary', null, 'As plain text'), el('pre', null, text)),
  ];
}

function showIn(frame, html) {
  const { document: page, CSSStyleSheet: Sheet } = frame.contentWindow;
  const rules = [];
  const markup = html
    .replace(/<style[^>]*>(.*?)<\/style>/gis, (_, css) => {
      rules.push(css);
      return '';
    })
    .replace(/<[^>]*>/g, (tag) => tag.replace(/(\s)style=/gi, '$1data-style='));
  const mail = new DOMParser().parseFromString(markup, 'text/html');
  for (const node of mail.querySelectorAll('style, script, link, meta, base')) node.remove();
  const sheet = new Sheet();
  sheet.replaceSync(rules.join('\n'));
  page.adoptedStyleSheets = [sheet];
  page.documentElement.replaceChild(page.importNode(mail.body, true), page.body);
  for (const node of page.querySelectorAll('[data-style]')) node.style.cssText = node.dataset.style;
  page.body.inert = true; // a click in the preview must not follow the example link
  frame.height = page.documentElement.scrollHeight;
}
