// The messages on the page: each once, in order of seq; answers under way below them.

import { el, put } from '/assets/el.js';
import { formatClock } from '/assets/format.js';
import { CHOICES } from './protocol.js';

/** @param {HTMLOListElement} list */
export function createLog(list) {
  const bySeq = new Map();
  const byNonce = new Map();

  /** A message that is committed. It may be an answer that is on the page already. */
  function addMessage({ seq, sender, author, body, at, nonce }) {
    const known = bySeq.get(seq);
    const bubble = byNonce.get(nonce) ?? known ?? createBubble(sender, '', '', author);
    if (known !== undefined && known !== bubble) known.remove();
    bubble.querySelector('p').textContent = body;
    settle(
      bubble,
      seq,
      byNonce.has(nonce) ? `delivered, ${formatClock(at)}` : author ? `${author}, ${formatClock(at)}` : formatClock(at),
    );
  }

  function addSending(nonce, content) {
    const bubble = createBubble(
      'employee',
      'choice' in content ? `${content.choice} of ${CHOICES.length}` : content.text,
      'sending…',
    );
    bubble.classList.add('sending');
    byNonce.set(nonce, bubble);
    place(bubble, Number.POSITIVE_INFINITY);
  }

  function markDelivered(nonce, seq) {
    const bubble = byNonce.get(nonce);
    if (bubble?.classList.contains('sending')) settle(bubble, seq, 'delivered');
  }

  /** `again`: puts the text back into the form; left out when there is no form any more. */
  function markRejected(nonce, { questionSeq }, reason, again) {
    const bubble = byNonce.get(nonce);
    if (bubble === undefined) return;
    bubble.classList.replace('sending', 'failed');
    place(bubble, questionSeq + 0.5); // it has no seq of its own
    const onclick = () => {
      bubble.remove();
      again();
    };
    const button = again && el('button', { type: 'button', class: 'again', onclick }, 'Write it again');
    put(bubble.querySelector('small'), `not delivered: ${reason}`, button);
  }

  function settle(bubble, seq, note) {
    const other = bySeq.get(seq);
    if (other !== undefined && other !== bubble) other.remove();
    bySeq.set(seq, bubble);
    bubble.classList.remove('sending', 'failed');
    bubble.querySelector('small').textContent = note;
    place(bubble, seq);
  }

  // Moved only when it has to: a node that is moved is read aloud again.
  function place(bubble, seq) {
    bubble.dataset.seq = seq;
    const bubbles = list.querySelectorAll('li');
    const after = [...bubbles].find((other) => other !== bubble && Number(other.dataset.seq) > seq) ?? null;
    if (bubble.parentNode === list && bubble.nextElementSibling === after) return;
    list.insertBefore(bubble, after);
  }

  return {
    addMessage,
    addSending,
    markDelivered,
    markRejected,
    /** What the server no longer repeats would leave a hole: begin anew. Answers under way stay. */
    restart() {
      for (const bubble of bySeq.values()) bubble.remove();
      bySeq.clear();
    },
    /** The texts that will not be delivered any more. */
    undelivered: () => [...list.querySelectorAll('.sending > p, .failed > p')].map((node) => node.textContent),
  };
}

function createBubble(sender, text, note, author) {
  const label = { employee: 'You: ', person: `${author}: `, bot: 'Question: ' }[sender];
  const who = el('span', { class: 'hidden' }, label);
  return el(
    'li',
    { class: `bubble ${sender === 'employee' ? 'mine' : sender}` },
    who,
    el('p', null, text),
    el('small', null, note),
  );
}
