/**
 * What it is: a message for many clients is serialised once, and they share the bytes.
 * What fails without it: a message to n clients costs n times the JSON and n copies in memory, on the event loop.
 * What it costs: nothing. Its bound: the caller's number of clients (`Connection.join`).
 * Its proof: test/socket/broadcast.test.ts.
 */
export interface Receiver {
  sendJson(json: Buffer): void;
}

export function broadcast(receivers: Iterable<Receiver>, message: object): void {
  const json = Buffer.from(JSON.stringify(message));
  for (const receiver of receivers) receiver.sendJson(json);
}
