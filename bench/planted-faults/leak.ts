import type { PlantedFault } from './planted-fault.ts';

/** Something of each request is kept for ever: little enough that in a short run no other line than the growth sees it. */
export const leak: PlantedFault = {
  name: 'leak',
  file: 'src/http/read-own-writes.ts',
  edits: [
    ['export function readOwnWrites(', 'const KEPT: Buffer[] = [];\n\nexport function readOwnWrites('],
    [
      "  app.addHook('onRequest', (request, _reply, done) => {\n    const header",
      "  app.addHook('onRequest', (request, _reply, done) => {\n    KEPT.push(Buffer.alloc(128 * 1024, 1));\n    const header",
    ],
  ],
  scenarios: ['soak'],
  expected: /soak: .*memory of api grows/,
};
