import { get, post } from '../../api.js';
import { el, put } from '../../el.js';
import { count, formatTime } from '../../format.js';
import { field, notice, openDialog, run, showStep, slot, textsOf } from '../../parts.js';

/** Whether signing in needs a code, and the way to change that. */
export function secondFactorCard(signal) {
  const box = el('div');
  const reload = () =>
    put(
      box,
      slot(
        () => get('/api/v1/second-factor', null, signal),
        (status) => statusOf(status, reload),
      ),
    );
  reload();
  return el('section', { class: 'card' }, el('h2', null, 'Second factor'), box);
}

/** @param {Answer<'/api/v1/second-factor', 'get'>} status */
function statusOf({ since, recoveryCodesLeft }, reload) {
  const button = (text, onclick, kind) => el('button', { type: 'button', class: kind, onclick }, text);
  if (since === null)
    return [
      el('p', null, 'Off. When it is on, signing in takes a code from an app on your phone as well as your password.'),
      el(
        'div',
        { class: 'actions' },
        button('Set up', () => setUpDialog(reload), 'primary'),
      ),
    ];
  return [
    el('p', null, `On since ${formatTime(since)}. ${count(recoveryCodesLeft, 'recovery code')} left.`),
    el(
      'div',
      { class: 'actions' },
      button('Turn off', () => turnOffDialog(reload)),
    ),
  ];
}

function setUpDialog(changed) {
  const dialog = openDialog('Set up a second factor', (close) =>
    formOf([passwordField()], 'Continue', close, async (form) => {
      const begun = await post('/api/v1/second-factor', textsOf(form, 'password'));
      showStep(dialog, 'Scan this with your app', scan(begun, close));
    }),
  );
  const scan = ({ secret, uri, qrCode }, close) => {
    const code = el('input', {
      id: 'code',
      name: 'code',
      required: true,
      inputmode: 'numeric',
      autocomplete: 'one-time-code',
      maxlength: 7,
    });
    return formOf(
      [
        el('img', { class: 'qr', src: qrCode, alt: 'QR code for an authenticator app', width: 200, height: 200 }),
        el(
          'p',
          { class: 'soft' },
          'Or ',
          el('a', { href: uri }, 'open the app on this device'),
          ', or type: ',
          el('code', null, secret),
        ),
        field('The six digits that the app shows', code),
      ],
      'Confirm',
      close,
      async (form) => {
        const { recoveryCodes } = await post('/api/v1/second-factor/confirmation', textsOf(form, 'code'));
        changed();
        showStep(dialog, 'Save these codes', recovery(recoveryCodes, close));
      },
    );
  };
}

function recovery(codes, close) {
  return [
    notice('Each of them signs you in once when you do not have your phone. They will not be shown again.', 'info'),
    el('pre', { class: 'secret', 'aria-label': 'Recovery codes' }, codes.join('\n')),
    el(
      'div',
      { class: 'actions' },
      el('button', { type: 'button', class: 'primary', onclick: close }, 'I have saved them'),
    ),
  ];
}

function turnOffDialog(changed) {
  openDialog('Turn off the second factor?', (close) =>
    formOf([passwordField(), codeField()], 'Turn off', close, async (form) => {
      await post('/api/v1/second-factor/removal', textsOf(form, 'password', 'code'));
      close();
      changed();
    }),
  );
}

function passwordField() {
  const attributes = { id: 'factor-password', name: 'password', type: 'password', autocomplete: 'current-password' };
  return field('Your password', el('input', { required: true, ...attributes }));
}

function codeField() {
  const attributes = { id: 'factor-code', name: 'code', autocomplete: 'one-time-code', minlength: 6, maxlength: 40 };
  const hint = 'The six digits that your app shows, or a recovery code.';
  return field('Code', el('input', { required: true, ...attributes }), hint);
}

function formOf(fields, action, close, act) {
  const fault = el('div');
  const button = el('button', { class: 'primary' }, action);
  const submit = (event) => {
    event.preventDefault();
    run(button, fault, () => act(event.target));
  };
  const cancel = el('button', { type: 'button', onclick: close }, 'Cancel');
  return el('form', { onsubmit: submit }, fields, fault, el('div', { class: 'actions' }, button, cancel));
}
