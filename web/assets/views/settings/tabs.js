import { el } from '../../el.js';
import { heading } from '../../parts.js';

/** `roles`: who sees it; without, everybody. */
const TABS = [
  { path: '/settings', text: 'Security' },
  { path: '/settings/members', text: 'Members' },
  { path: '/settings/keys', text: 'API keys', roles: ['owner', 'admin'] },
  { path: '/settings/webhooks', text: 'Webhooks', roles: ['owner', 'admin'] },
  { path: '/settings/audit', text: 'Audit log', roles: ['owner', 'admin'] },
];

/** The heading of a page of the settings, and the way to the others. */
export function settingsHeading(title, { user }, ...actions) {
  const tabs = TABS.filter(({ roles }) => !roles || roles.includes(user.role)).map(({ path, text }) =>
    el('a', { href: `#${path}`, 'aria-current': text === title && 'page' }, text),
  );
  return [heading(title, ...actions), el('div', { class: 'tabs', role: 'navigation', 'aria-label': 'Settings' }, tabs)];
}
