/**
 * What a path or a query says is text: this reads the numbers and the yes or no that a route's schema asks for, in the
 * form that JSON has for them. Nothing else is converted. Ajv's own coercion takes `0x10` and ` 16` for 16, and in a
 * body `null` for `false`, so that a client's empty field turns something off.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';

export function readUrlValues(api: FastifyInstance): void {
  api.addHook('preValidation', ({ params, query, routeOptions: { schema } }: FastifyRequest, _reply, done) => {
    readValues(params, schema?.params);
    readValues(query, schema?.querystring);
    done();
  });
}

/** In place. What is not in that form stays a text, which validation refuses. */
function readValues(values: unknown, schema: unknown): void {
  const { properties } = (schema ?? {}) as { properties?: Readonly<Record<string, { readonly type?: string }>> };
  if (properties === undefined) return;
  const texts = values as Record<string, unknown>;
  for (const name of Object.keys(texts)) {
    const [text, form] = [texts[name], FORMS[properties[name]?.type ?? '']];
    if (typeof text === 'string' && form?.test(text)) texts[name] = JSON.parse(text);
  }
}

const FORMS: Readonly<Record<string, RegExp>> = {
  integer: /^-?(?:0|[1-9]\d*)$/,
  number: /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/,
  boolean: /^(?:true|false)$/,
};
