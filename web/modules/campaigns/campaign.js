import { actOn, get } from '/assets/api.js';
import { actOnSeen } from '/assets/changed-meanwhile.js';
import { el, put } from '/assets/el.js';
import { count, formatAgo, formatNumber, formatPercent, formatTime } from '/assets/format.js';
import { confirmDialog, heading, notice, openDialog, run, slot } from '/assets/parts.js';
import { poll } from '/assets/poll.js';
import { campaignStatus, paceText, progressBar, progressText } from './campaign-progress.js';
import { failuresPanel } from './failures.js';
import { mailPreview } from './mail-preview.js';
import { pausedNotice } from './paused.js';
import { reachOutList } from './reach-out-list.js';
import { scheduleDialog, scheduleText } from './schedule-dialog.js';

/** @typedef {Answer<'/api/v1/campaigns/{id}', 'get'>} Campaign */

const SENDING_EVERY_MS = 1_000;
const IDLE_EVERY_MS = 10_000;

export function campaignView({ id, session, signal }) {
  const title = heading('Campaign');
  const state = el('div', null, el('p', { class: 'soft' }, 'Loading…'));
  const rest = el('div', { class: 'stack' });
  const fault = el('div');
  const said = el('div'); // outside of what is built anew
  let shown = null;
  let version = null;
  // On the version that is on the page when somebody clicks: its buttons may be older.
  /**
   * @template Done
   * @param {(seen: number) => Promise<Done>} send
   */
  const act = (send, seen = version) => actOnSeen(() => send(seen), load);
  const retry = async (failed) => {
    changed(await act((seen) => actOn(`/api/v1/campaigns/${id}/retry`, seen, failed)));
    list.restart();
  };
  const list = reachOutList(id, session.mayWrite && retry, signal);
  const failures = failuresPanel(session.mayWrite, retry, signal);
  let listed = 0;

  const show = (campaign) => {
    title.querySelector('h1').textContent = campaign.name;
    put(fault);
    put(state, statePanel(campaign));
    // Buttons and lists stay put while numbers move; they change only when the status does, or the text of a draft.
    if (shown !== campaign.status || (campaign.status === 'draft' && version !== campaign.version)) {
      put(
        title.querySelector('.actions'),
        session.mayWrite && actions(campaign, { act, changed, said, seen: () => version }, signal),
      );
      put(
        rest,
        campaign.status === 'draft' ? contents(campaign, signal) : [failures.node, list.node, questions(campaign)],
      );
    }
    failures.show(campaign);
    // The list follows the status, and the moment when the recipients become known.
    const { recipients } = campaign.progress;
    if (shown !== null && (shown !== campaign.status || (listed === 0 && recipients > 0))) list.restart();
    listed = recipients;
    shown = campaign.status;
    version = campaign.version;
    return campaign.status === 'sending' ? SENDING_EVERY_MS : IDLE_EVERY_MS;
  };
  const load = async () => show(await get(`/api/v1/campaigns/${id}`, null, signal));
  let watching = new AbortController();
  const watch = () => {
    watching.abort();
    watching = new AbortController();
    const here = AbortSignal.any([signal, watching.signal]);
    poll(load, IDLE_EVERY_MS, here, (error) => put(shown === null ? state : fault, notice(error)));
  };
  // After an action the old rhythm no longer fits: a launched campaign moves at once.
  const changed = (campaign) => {
    show(campaign);
    watch();
  };
  watch();
  return [title, fault, said, state, rest];
}

/** @param {Campaign} campaign */
function statePanel(campaign) {
  const { progress } = campaign;
  const share = (n) => (progress.sent > 0 ? formatPercent(n / progress.sent) : '');
  const twice = progress.possiblyTwice > 0;
  return el(
    'section',
    { class: 'card' },
    el('p', null, campaignStatus(campaign), ' ', el('span', { class: 'soft' }, whenText(campaign))),
    pausedNotice(campaign),
    campaign.status !== 'draft' && [
      progressBar(campaign),
      el('p', { class: 'soft' }, [progressText(campaign), paceText(campaign)].filter(Boolean).join(', ')),
      el(
        'dl',
        { class: 'numbers' },
        number('Sent', progress.sent),
        number('Skipped', progress.skipped, skippedText(progress)),
        number('Failed', progress.failed),
        number('Opened', progress.opened, share(progress.opened)),
        number('Finished', progress.finished, share(progress.finished)),
        number('Answers', progress.answers),
        progress.complaints > 0 && number('Complaints', progress.complaints, 'marked as spam'),
        twice && number('Possibly sent twice', progress.possiblyTwice, 'being sent during a crash'),
      ),
    ],
  );
}

/** @param {Campaign['progress']} progress */
function skippedText({ skipped, suppressed }) {
  if (suppressed === 0) return 'unsubscribed';
  const link = el('a', { href: '#/suppressions' }, `${formatNumber(suppressed)} suppressed`);
  return suppressed === skipped ? link : ['unsubscribed, ', link];
}

/** @param {Campaign} campaign */
function whenText(campaign) {
  if (campaign.status === 'draft') return 'Nothing is sent until you launch or schedule it.';
  if (campaign.status === 'scheduled') return scheduleText(campaign);
  if (campaign.finishedAt)
    return `launched ${formatTime(campaign.launchedAt)}, finished ${formatTime(campaign.finishedAt)}`;
  return campaign.launchedAt ? `launched ${formatAgo(campaign.launchedAt)}` : '';
}

/** `note`: a few words, or nodes. */
function number(label, value, note) {
  return el(
    'div',
    null,
    el('dt', null, label),
    el('dd', null, formatNumber(value), note && el('small', { class: 'soft' }, note)),
  );
}

/** @param {Campaign} campaign */
function actions(campaign, { act, changed, said, seen }, signal) {
  const { id } = campaign;
  const move = (send, version) => async () => changed(await act(send, version));
  const pause = (version) => actOn(`/api/v1/campaigns/${id}/pause`, version);
  const resume = (version) => actOn(`/api/v1/campaigns/${id}/resume`, version);
  const stop = (version) => actOn(`/api/v1/campaigns/${id}/cancel`, version);
  const test = (version) => actOn(`/api/v1/campaigns/${id}/test`, version);
  const button = (text, onclick, kind) => el('button', { type: 'button', class: kind, onclick }, text);
  const cancel = () =>
    confirmDialog(
      'Cancel this campaign?',
      'Emails that have been sent cannot be recalled; the rest will not be sent.',
      'Cancel campaign',
      move(stop, seen()),
      'Keep sending',
    );
  if (campaign.status === 'draft') {
    return [
      testButton(() => act(test), said),
      el('a', { class: 'button', href: `#/campaigns/${id}/edit` }, 'Edit'),
      button('Schedule…', () => scheduleDialog(campaign, changed)),
      button('Launch…', () => launchDialog(campaign, changed, signal), 'primary'),
    ];
  }
  const live = ['scheduled', 'sending', 'paused'].includes(campaign.status);
  return [
    live && testButton(() => act(test), said),
    campaign.status === 'sending' && quickButton('Pause', move(pause), said),
    campaign.status === 'paused' && quickButton('Resume', move(resume), said, 'primary'),
    live && button('Cancel…', cancel),
  ];
}

// Sends the email to the person who asks for it, and says where to look.
/** @param {() => Promise<{ to: string }>} test */
function testButton(test, said) {
  const told = el('span', { role: 'status' });
  const send = async () => {
    const { to } = await test();
    put(told, el('small', { class: 'soft' }, `A test is on its way to ${to}.`));
  };
  const node = el('button', { type: 'button', onclick: () => run(node, said, send) }, 'Send me a test');
  return [node, told];
}

// Can be undone by its counterpart, so nobody is asked first.
function quickButton(text, act, said, kind) {
  const node = el('button', { type: 'button', class: kind, onclick: () => run(node, said, act) }, text);
  return node;
}

// Says how many people get the mail before anything can be sent; what is sent is what is described here.
/** @param {Campaign} campaign */
function launchDialog(campaign, changed, signal) {
  openDialog('Launch now?', (close) => {
    const box = el('div');
    const describe = (told) => {
      const fault = el('div');
      const content = slot(
        () => get(`/api/v1/campaigns/${campaign.id}/preview`, null, signal),
        (preview) => launchText(preview, fault, close, () => launch(preview.version)),
      );
      put(box, told, content);
    };
    const launch = async (version) => {
      try {
        const launched = await actOn(`/api/v1/campaigns/${campaign.id}/launch`, version);
        close();
        changed(launched);
      } catch (error) {
        if (error.code !== 'changed_meanwhile') throw error;
        describe(notice('Somebody else has changed this campaign meanwhile. This is how it is now.', 'info'));
      }
    };
    describe(null);
    return box;
  });
}

/** @param {Answer<'/api/v1/campaigns/{id}/preview', 'get'>} preview */
function launchText({ recipients, subject }, fault, close, launch) {
  const go = el(
    'button',
    { type: 'button', class: 'primary', disabled: recipients === 0 },
    `Send ${count(recipients, 'email')}`,
  );
  go.addEventListener('click', () => run(go, fault, launch));
  const text = recipients === 0 ? 'Import employees, or lift a suppression, first.' : 'Sending starts right away.';
  return [
    el(
      'p',
      null,
      el('strong', null, count(recipients, 'person', 'people')),
      ` will get the email “${subject}”. ${text}`,
    ),
    fault,
    el('div', { class: 'actions' }, go, el('button', { type: 'button', onclick: close }, 'Cancel')),
  ];
}

/** @param {Campaign} campaign */
function contents(campaign, signal) {
  const preview = slot(() => get(`/api/v1/campaigns/${campaign.id}/preview`, null, signal), mailPreview);
  return el(
    'div',
    { class: 'two' },
    questions(campaign),
    el('section', { class: 'card preview' }, el('h2', null, 'The email'), preview),
  );
}

/** @param {Campaign} campaign */
function questions(campaign) {
  return el(
    'section',
    { class: 'card' },
    el('h2', null, 'Questions'),
    el(
      'ol',
      null,
      campaign.questions.map(({ text, answer }) =>
        el('li', null, text, answer === 'scale' && el('small', { class: 'soft' }, ' 1 to 5')),
      ),
    ),
  );
}
