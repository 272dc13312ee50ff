import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { schemaType } from '../../scripts/client-types.ts';
import { generateClient } from '../../scripts/generate-client.ts';
import { templateModule } from '../../scripts/template-module.ts';

const ROOT = join(import.meta.dirname, '..', '..');

test('the types of the client are those of the routes', async () => {
  const files = await generateClient(await templateModule());
  expect(files.size).toBeGreaterThan(3);
  for (const [file, text] of files) {
    const kept = existsSync(join(ROOT, file)) ? readFileSync(join(ROOT, file), 'utf8') : '';
    expect(kept, `${file}: run npm run generate:client`).toBe(text);
  }
});

test.each([
  [{ type: 'integer' }, 'number'],
  [{ enum: ['open', 'done'] }, '"open" | "done"'],
  [{ anyOf: [{ type: 'string' }, { type: 'null' }] }, 'string | null'],
  [{ anyOf: [{ const: 1 }, { const: 2 }] }, '1 | 2'],
  [{ type: ['string', 'null'] }, 'string | null'],
  [{ type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'null' }] } }, '(string | null)[]'],
  [
    { type: 'object', properties: { id: { type: 'integer' }, 'if-match': { type: 'string' } }, required: ['id'] },
    "{ id: number; 'if-match'?: string; }",
  ],
  [{ type: 'object', patternProperties: { '^.*$': { type: 'number' } } }, 'Record<string, number>'],
  [{}, 'unknown'],
])('a schema becomes the type of what it accepts: %j', (schema, type) => {
  expect(schemaType(schema)).toBe(type);
});
