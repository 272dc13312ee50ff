/** So many addresses of this machine (127.0.1.1 and on), each of which is a client of its own to the product. Linux only. */
export function loopbackAddresses(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `127.0.${1 + Math.floor(n / 250)}.${1 + (n % 250)}`);
}
