// Answers not yet acknowledged, also in sessionStorage where that is allowed; gone when the tab is.
export function keptAnswers(token) {
  const key = `unsent:${token}`;
  const kept = new Map(read(key)); // nonce -> { body, after: the highest seq shown when it was written }
  const write = () => {
    try {
      sessionStorage.setItem(
        key,
        JSON.stringify([...kept].map(([nonce, { body, after }]) => [nonce, { body, after }])),
      );
    } catch {
      // Private windows may refuse storage; memory still holds the answer.
    }
  };
  return {
    all: () => [...kept],
    add: (nonce, answer) => {
      kept.set(nonce, answer);
      write();
    },
    remove: (nonce) => {
      kept.delete(nonce);
      write();
    },
  };
}

function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key)) ?? [];
  } catch {
    return [];
  }
}
