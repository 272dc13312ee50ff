// What the page says about its connection. It promises only what holds: that people can keep writing while there is a form
// to write in, and that an answer is kept while the device stores it.

const RECONNECTING = 'Reconnecting…';

/**
 * The text for a state of the connection; undefined when there is nothing to say.
 * @param {import('./link.js').State} state
 * @param {{ opened: boolean, writing: boolean, sending: boolean, safe: boolean }} now `opened`: once welcomed;
 *   `writing`: the form is on the screen; `sending`: an answer is under way; `safe`: it outlives the page
 */
export function describeState(state, { opened, writing, sending, safe }) {
  if (state === 'open' || (state === 'connecting' && !opened)) return undefined;
  const parts = [whatHappens(state, opened)];
  if (sending) parts.push(safe ? KEPT : NOT_KEPT);
  if (writing) parts.push(sending ? 'What you write next stays in the form.' : 'You can keep writing.');
  return parts.join(' ');
}

const KEPT = 'Your answer is kept on this device until it is sent, even if you close this page.';
const NOT_KEPT = 'Please keep this page open until your answer is delivered.';

function whatHappens(state, opened) {
  if (state === 'offline') return 'You are offline.';
  if (state === 'busy') return 'Many people are here right now. Trying again in a moment…';
  return opened ? RECONNECTING : 'There is no connection yet. Trying again…';
}
