const TYPING_PAUSE_MS = 250;

/** For a search box: one call of `act` per pause in typing, not one per key. */
export function calm(act) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, TYPING_PAUSE_MS);
  };
}
