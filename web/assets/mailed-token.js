// What is behind the last slash of a link in a mail. Mail programs encode links, and take along the full stop or the
// bracket that somebody wrote behind one.

const TOKEN = /^[0-9a-z]+\.[0-9a-z]+\.[\w-]{22}$/;

/** The text of an address, as it was before a program encoded it; what cannot be decoded stays as it is. */
export function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function withoutTail(token) {
  return token.replace(/[^\w-]+$/, '');
}

/** Whether all of it is there: not cut, and not twice. */
export function isWhole(token) {
  return TOKEN.test(token);
}
