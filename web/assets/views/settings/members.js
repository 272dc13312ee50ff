import { change, get, post, remove, removeSeen } from '../../api.js';
import { actOnSeen } from '../../changed-meanwhile.js';
import { el, put } from '../../el.js';
import { formatTime } from '../../format.js';
import { pagedTable } from '../../pages.js';
import { confirmDialog, field, openDialog, run, statusMark } from '../../parts.js';
import { settingsHeading } from './tabs.js';

/** @typedef {Item<'/api/v1/users'>} Member */

const ROLES = {
  viewer: 'Viewer: sees everything',
  admin: 'Admin: can change everything except owners',
  owner: 'Owner: can change everything',
};

export function membersView({ session, signal }) {
  const { user, mayWrite } = session;
  const members = pagedTable({
    caption: 'Members',
    columns: ['Name', 'Email', 'Role', 'Since', ''],
    fetchPage: (cursor) => get('/api/v1/users', { limit: 50, cursor }, signal),
    row: (member) => memberRow(member, { user, mayWrite, changed: () => members.restart() }),
    empty: 'No members.',
  });
  if (!mayWrite) return [settingsHeading('Members', session), members.node];
  const invitations = pagedTable({
    caption: 'Open invitations',
    columns: ['No.', 'Email', 'Role', 'Invited by', 'Expires', ''],
    fetchPage: (cursor) => get('/api/v1/invitations', { limit: 50, cursor }, signal),
    row: (one) => invitationRow(one, () => invitations.restart()),
    empty: 'No open invitations.',
  });
  const invite = el(
    'button',
    { type: 'button', class: 'primary', onclick: () => inviteDialog(user, () => invitations.restart()) },
    'Invite',
  );
  return [
    settingsHeading('Members', session, invite),
    members.node,
    el('h2', null, 'Open invitations'),
    invitations.node,
  ];
}

/** @param {Member} member */
function memberRow(member, { user, mayWrite, changed }) {
  const isOwn = member.id === user.id;
  const mayChange = mayWrite && (user.role === 'owner' || member.role !== 'owner');
  const name = [member.name, ' ', isOwn && statusMark('you', 'good')];
  const role = mayChange ? roleSelect(member, user, changed) : member.role;
  const out = el(
    'button',
    { type: 'button', class: 'quiet', onclick: () => removal(member, isOwn, changed) },
    isOwn ? 'Leave' : 'Remove',
  );
  return [name, member.email, role, formatTime(member.createdAt), (mayChange || isOwn) && out];
}

/**
 * Asks first: on the keyboard an arrow chooses the next role, on the way to the one that is meant.
 * @param {Member} member
 */
function roleSelect(member, user, changed) {
  const select = el('select', { 'aria-label': `Role of ${member.name}` }, roleOptions(user, member.role));
  select.addEventListener('change', () => {
    const role = select.value;
    select.value = member.role;
    confirmDialog(`Change the role of ${member.name}?`, `${ROLES[role]}.`, 'Change', () =>
      actOnSeen(() => change(`/api/v1/users/${member.id}`, { role }, member.role), changed).then(changed),
    );
  });
  return select;
}

function roleOptions(user, chosen) {
  const may = Object.keys(ROLES).filter((role) => role !== 'owner' || user.role === 'owner');
  return may.map((role) => el('option', { value: role, selected: role === chosen }, role));
}

/** @param {Member} member */
function removal(member, isOwn, changed) {
  const text = isOwn
    ? 'You will be signed out, and need an invitation to come back. Your API keys will stop working.'
    : `${member.name} will be signed out everywhere, and the API keys of ${member.name} will stop working.`;
  confirmDialog(
    isOwn ? 'Leave this organisation?' : `Remove ${member.name}?`,
    text,
    isOwn ? 'Leave' : 'Remove',
    async () => {
      await actOnSeen(() => removeSeen(`/api/v1/users/${member.id}`, member.role), changed);
      changed();
    },
  );
}

/** @param {Item<'/api/v1/invitations'>} one */
function invitationRow(one, changed) {
  const problem = one.mailProblem && statusMark('email rejected', 'bad');
  const expired = Date.parse(one.expiresAt) < Date.now() && statusMark('expired', 'warn');
  const waiting = !one.mailedAt && !expired && statusMark('sending');
  const withdraw = () =>
    confirmDialog('Withdraw this invitation?', `The link sent to ${one.email} will stop working.`, 'Withdraw', () =>
      remove(`/api/v1/invitations/${one.id}`).then(changed),
    );
  return [
    String(one.id), // by which the audit log names it
    [one.email, ' ', problem, expired, waiting],
    one.role,
    one.invitedBy,
    formatTime(one.expiresAt),
    el('button', { type: 'button', class: 'quiet', onclick: withdraw }, 'Withdraw'),
  ];
}

function inviteDialog(user, invited) {
  openDialog('Invite somebody', (close) => {
    const fault = el('div');
    const send = el('button', { class: 'primary' }, 'Send invitation');
    const hint = el('small', { class: 'soft' });
    const role = el('select', { id: 'role', name: 'role' }, roleOptions(user, 'viewer'));
    const explain = () => put(hint, ROLES[role.value]);
    role.addEventListener('change', explain);
    explain();
    const submit = (event) => {
      event.preventDefault();
      run(send, fault, async () => {
        await post('/api/v1/invitations', { email: email.value, role: role.value });
        close();
        invited();
      });
    };
    const email = el('input', { id: 'email', name: 'email', type: 'email', required: true, maxlength: 254 });
    return el(
      'form',
      { onsubmit: submit },
      field('Email address', email, 'A link is sent there. It works once, for seven days.'),
      field('Role', role),
      hint,
      fault,
      el('div', { class: 'actions' }, send, el('button', { type: 'button', onclick: close }, 'Cancel')),
    );
  });
}
