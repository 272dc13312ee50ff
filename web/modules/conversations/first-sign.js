// Tells once when a person is there: they touch, click or type, or have had the page before their eyes for a while. A
// mail scanner that opens every link does none of these.

const WATCHED_MS = 5_000;

/** @param {() => void} tell */
export function watchForPerson(tell) {
  const stop = new AbortController();
  const options = { signal: stop.signal, capture: true, passive: true };
  let timer;
  const told = () => {
    stop.abort();
    clearTimeout(timer);
    tell();
  };
  const watch = () => {
    clearTimeout(timer);
    if (!document.hidden && document.hasFocus()) timer = setTimeout(told, WATCHED_MS);
  };
  for (const sign of ['pointerdown', 'keydown'])
    window.addEventListener(sign, (event) => event.isTrusted && told(), options);
  for (const change of ['focus', 'blur']) window.addEventListener(change, watch, options);
  document.addEventListener('visibilitychange', watch, options);
  watch();
}
