import { post } from './api.js';
import { el } from './el.js';
import { field, run } from './parts.js';

/** The second step, for those who have set up a second factor. */
export function codeForm(ticket, entered) {
  const fault = el('div');
  const button = el('button', { class: 'primary' }, 'Sign in');
  const code = el('input', {
    id: 'entry-code',
    name: 'code',
    required: true,
    autocomplete: 'one-time-code',
    maxlength: 40,
  });
  const submit = (event) => {
    event.preventDefault();
    run(button, fault, async () => {
      await post('/api/v1/sessions/second-factor', { ticket, code: code.value });
      await entered();
    });
  };
  return el(
    'form',
    { onsubmit: submit },
    el('h2', null, 'Your second factor'),
    field('Code', code, 'The six digits that your app shows, or a recovery code.'),
    fault,
    el(
      'div',
      { class: 'actions' },
      button,
      el('a', { class: 'button', href: '#/', onclick: () => location.reload() }, 'Start again'),
    ),
  );
}
