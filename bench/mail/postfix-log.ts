/** What Postfix says in its log that it took: by `<Message-ID> address`, how often. */
export function deliveriesIn(log: string): Map<string, number> {
  const messageIds = new Map<string, string>();
  const deliveries = new Map<string, number>();
  for (const line of log.split('\n')) {
    const named = /\/cleanup\[\d+\]: (\w+): message-id=(\S+)/.exec(line);
    if (named !== null) messageIds.set(named[1] as string, named[2] as string);
    const taken = /\/discard\[\d+\]: (\w+): to=<([^>]*)>.* status=sent/.exec(line);
    if (taken === null) continue;
    const key = `${messageIds.get(taken[1] as string) ?? ''} ${taken[2]}`;
    deliveries.set(key, (deliveries.get(key) ?? 0) + 1);
  }
  return deliveries;
}
