// A question that is answered by one tap: five large buttons. To assistive technology it is a group of radio buttons of
// which arrow keys (or the digits) move the focus and Space or Enter chooses: a choice is sent at once, so that moving
// the focus must not choose.

import { el, put } from '/assets/el.js';
import { CHOICES } from './protocol.js';

const ENDS = { [CHOICES[0]]: 'Very bad', [CHOICES.at(-1)]: 'Very good' };
const READ_MS = 600; // a tap sooner than this after the question was the second half of a double tap
const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/**
 * @param {HTMLElement} group
 * @param {(choice: number) => void} choose
 */
export function createScale(group, choose) {
  let buttons = [];
  let asked = 0; // the seq of the question
  let readAt = 0;

  function ask(seq) {
    if (seq === asked) return enable();
    if (asked > 0) readAt = Date.now() + READ_MS; // where the first one is drawn, nobody has tapped before
    asked = seq;
    buttons = CHOICES.map((choice) =>
      el(
        'button',
        {
          type: 'button',
          role: 'radio',
          'aria-checked': 'false',
          'aria-label': [choice, ENDS[choice]].filter(Boolean).join(', '),
          tabindex: choice === CHOICES[0] ? '0' : '-1',
          onclick: (event) => chosen(event.currentTarget, choice),
        },
        String(choice),
      ),
    );
    const ends = Object.values(ENDS).map((text) => el('span', null, text));
    put(group, buttons, el('div', { class: 'ends', 'aria-hidden': 'true' }, ends));
  }

  function chosen(button, choice) {
    if (button.ariaDisabled === 'true' || Date.now() < readAt) return;
    button.ariaChecked = 'true';
    disable();
    choose(choice);
  }

  function enable() {
    for (const button of buttons) {
      button.ariaDisabled = 'false';
      button.ariaChecked = 'false';
    }
  }

  // Not `disabled`, which would take the focus away from under a person's fingers.
  function disable() {
    for (const button of buttons) button.ariaDisabled = 'true';
  }

  function moveTo(button) {
    for (const other of buttons) other.tabIndex = other === button ? 0 : -1;
    button.focus();
  }

  group.addEventListener('keydown', (event) => {
    const at = buttons.indexOf(event.target);
    const step = STEPS[event.key];
    const digit = CHOICES.indexOf(Number(event.key));
    if (step === undefined && digit < 0) return;
    event.preventDefault();
    const next = at < 0 ? 0 : (at + step + buttons.length) % buttons.length;
    moveTo(buttons[digit < 0 ? next : digit]);
  });

  // The focus of the group as a whole suggests no choice.
  return { ask, disable, focus: () => group.focus({ preventScroll: true }) };
}
