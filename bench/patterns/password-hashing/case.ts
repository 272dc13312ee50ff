import { createHash } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { MB, type PatternCase } from '../pattern.ts';

type Variant = { createHasher(): { hash(password: string): Promise<string> } };
type Input = { readonly signIns: number };

/** OWASP's scrypt parameters: 128 MiB for each hash under way. */
export const MEMORY_HARD = { N: 2 ** 17, r: 8, p: 1, maxmem: 256 * MB };
export const TAG_BYTES = 32;

export const pattern: PatternCase<Variant, Input> = {
  slug: 'password-hashing',
  asks: 'Eight people sign in at once.',
  breaks: 'the process is killed',
  holds: 'all eight are hashed, below 200 MB',
  needs: [],
  small: { signIns: 1 },
  full: { signIns: 8 },

  async prepare() {},

  async perform(variant, { signIns }) {
    const hasher = variant.createHasher();
    const dns = watchDns();
    const hashes = await Promise.all(
      Array.from({ length: signIns }, (_, index) => hasher.hash(`password number ${index}`)),
    );
    const dnsMaxMs = await dns.stop();
    // Salts are random: what can be equal is that every one got a hash of its own.
    const digest = createHash('sha256')
      .update(`${hashes.length} ${new Set(hashes).size}`)
      .digest('hex');
    return { digest, figures: { hashes: hashes.length, dnsMaxMs } };
  },

  isBroken: (naive) => naive.ending === 'OOM-killed',
  isHeld: (hardened) =>
    hardened.ending === 'finished' && hardened.figures.hashes === 8 && hardened.peakBytes < 200 * MB,
};

/** Hashes share node's four pool threads with name look-ups, which then wait: the longest one is published. */
function watchDns(): { stop(): Promise<number> } {
  let running = true;
  let maxMs = 0;
  const done = (async () => {
    while (running) {
      const begun = performance.now();
      await lookup('localhost');
      maxMs = Math.max(maxMs, performance.now() - begun);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  return {
    async stop() {
      running = false;
      await done;
      return Math.round(maxMs);
    },
  };
}
