/** As mails and alerts say it: `2026-11-26 14:02 UTC`. */
export function clock(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
