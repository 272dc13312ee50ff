import { actOn, change, get, post, removeSeen } from '../../api.js';
import { actOnSeen } from '../../changed-meanwhile.js';
import { el, put } from '../../el.js';
import { formatAgo, formatMs, formatTime } from '../../format.js';
import { pagedTable } from '../../pages.js';
import { confirmDialog, notice, openDialog, run, showStep, slot, statusMark } from '../../parts.js';
import { settingsHeading } from './tabs.js';
import { DISABLED_BECAUSE, secretOf, webhookStatus } from './webhooks.js';

const KINDS = { waiting: 'warn', delivered: 'good', dead: 'bad' };
const WORDS = { waiting: 'waiting', delivered: 'delivered', dead: 'failed' };

/** One webhook: how it is, and what was sent to it. */
export function webhookView({ id, session, signal }) {
  const box = el('div');
  const said = el('div');
  let version = null;
  const status = el(
    'select',
    { id: 'status', onchange: () => list.restart() },
    [['', 'All'], ...Object.entries(WORDS)].map(([value, text]) => el('option', { value }, text)),
  );
  const list = pagedTable({
    caption: 'Deliveries',
    columns: ['Event', 'Status', 'Attempts', 'Last attempt', ''],
    fetchPage: (cursor) =>
      get(`/api/v1/webhooks/${id}/deliveries`, { limit: 50, cursor, status: status.value }, signal),
    row: (delivery) => deliveryRow(delivery, said, list.restart),
    empty: 'Nothing has been sent to it yet.',
  });
  const reload = () =>
    put(
      box,
      slot(
        () => get(`/api/v1/webhooks/${id}`, null, signal),
        (webhook) => {
          version = webhook.version;
          for (const action of actions) action.disabled = false;
          return about(webhook, { reload, said });
        },
      ),
    );
  const changed = () => Promise.all([reload(), list.restart()]);
  /** @param {(seen: number) => Promise<string>} send says what it has done */
  const act = (text, send) => {
    const button = el('button', { type: 'button', disabled: true }, text); // until there is a version that was seen
    button.addEventListener('click', () =>
      run(button, said, async () => {
        const words = await actOnSeen(() => send(version), reload);
        await changed();
        put(said, notice(words, 'good'));
      }),
    );
    return button;
  };
  const actions = [
    act('Send a test event', async (seen) => {
      await actOn(`/api/v1/webhooks/${id}/test`, seen);
      return 'The test event is on its way.';
    }),
    act('Send all failed ones again', async (seen) => {
      const { replayed } = await actOn(`/api/v1/webhooks/${id}/replay`, seen);
      return replayed === 0 ? 'No delivery has failed for good.' : `${replayed} will be sent again.`;
    }),
  ];
  reload();
  return [
    settingsHeading('Webhook', session),
    box,
    el('h2', null, 'Deliveries'),
    el(
      'div',
      { class: 'filters' },
      el('div', { class: 'field' }, el('label', { for: 'status' }, 'Status'), status),
      actions,
      el('button', { type: 'button', onclick: changed }, 'Refresh'),
    ),
    said,
    list.node,
  ];
}

/** @param {Item<'/api/v1/webhooks'>} webhook */
function about(webhook, { reload, said }) {
  const {
    id,
    url,
    description,
    eventTypes,
    disabledAt,
    disabledBecause,
    failingSince,
    heldUntil,
    previousSecretUntil,
  } = webhook;
  const button = (text, onclick) => el('button', { type: 'button', onclick }, text);
  const turn = (enabled) =>
    actOnSeen(() => change(`/api/v1/webhooks/${id}`, { enabled }, webhook.version), reload).then(reload);
  const enable = button('Enable', () => run(enable, said, () => turn(true)));
  const disable = button('Disable…', () =>
    confirmDialog(
      'Disable this webhook?',
      'No events are kept for it until somebody enables it again. Deliveries that are waiting are given up, and can be sent again later.',
      'Disable',
      () => turn(false),
    ),
  );
  const rotate = button('Rotate the secret…', () => rotateDialog(webhook, reload));
  const drop = button('Delete…', () =>
    confirmDialog(
      'Delete this webhook?',
      'Deliveries that are waiting for it will never be made.',
      'Delete',
      async () => {
        await actOnSeen(() => removeSeen(`/api/v1/webhooks/${id}`, webhook.version), reload);
        location.hash = '#/settings/webhooks';
      },
    ),
  );
  return el(
    'section',
    { class: 'card' },
    el('p', null, el('span', { class: 'address' }, url), ' ', webhookStatus(webhook)),
    description && el('p', { class: 'soft' }, description),
    disabledAt && notice(`Disabled ${formatTime(disabledAt)}. ${DISABLED_BECAUSE[disabledBecause]}`),
    failingSince &&
      !disabledAt &&
      notice(
        `It has failed since ${formatTime(failingSince)}.${heldUntil ? ` It is tried again ${formatAgo(heldUntil)}.` : ''}`,
        'info',
      ),
    el(
      'p',
      null,
      'Listens to ',
      eventTypes.map((type) => [el('code', null, type), ' ']),
    ),
    previousSecretUntil &&
      el(
        'p',
        { class: 'soft' },
        `The secret before the last rotation signs as well until ${formatTime(previousSecretUntil)}.`,
      ),
    el('div', { class: 'actions' }, disabledAt ? enable : disable, rotate, drop),
  );
}

function rotateDialog({ id, version }, reload) {
  const dialog = openDialog('Rotate the secret?', (close) => {
    const fault = el('div');
    const go = el('button', { type: 'button', class: 'primary' }, 'Rotate');
    go.addEventListener('click', () =>
      run(go, fault, async () => {
        const made = await actOnSeen(() => actOn(`/api/v1/webhooks/${id}/rotate-secret`, version), reload);
        reload();
        showStep(dialog, 'The new secret', secretOf(made, close));
      }),
    );
    return [
      el(
        'p',
        null,
        'For 24 hours events are signed with the old secret as well: bring the new one to its server in that time.',
      ),
      fault,
      el('div', { class: 'actions' }, go, el('button', { type: 'button', onclick: close }, 'Cancel')),
    ];
  });
}

/** @param {Item<'/api/v1/webhooks/{id}/deliveries'>} delivery */
function deliveryRow(delivery, said, changed) {
  const { id, eventType, messageId, status, attempts, lastAttemptAt, lastStatus, lastMs, lastError } = delivery;
  const again = el('button', { type: 'button', class: 'quiet' }, 'Send again');
  again.addEventListener('click', () =>
    run(again, said, () => post(`/api/v1/webhook-deliveries/${id}/replay`).then(changed)),
  );
  const next = delivery.nextAttemptAt && attempts > 0 && `next ${formatAgo(delivery.nextAttemptAt)}`;
  const took = lastAttemptAt && `${lastStatus ?? 'no answer'}, ${formatMs(lastMs)}, ${formatAgo(lastAttemptAt)}`;
  return [
    [el('code', null, eventType), el('br'), el('small', { class: 'soft address' }, messageId)],
    [statusMark(WORDS[status], KINDS[status]), next && [el('br'), el('small', { class: 'soft' }, next)]],
    String(attempts),
    took ? [took, lastError && [el('br'), el('small', { class: 'soft' }, lastError)]] : (lastError ?? '–'),
    status !== 'waiting' && again,
  ];
}
