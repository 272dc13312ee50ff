// JSON Schema in words. Knows what the server's schemas use: objects, arrays, anyOf, enums, bounds.

import { el } from '../el.js';

/** A list of fields, nested where objects are; for anything else its type. */
export function schemaTree(schema = {}) {
  const inner = objectIn(schema);
  if (!inner)
    return el('div', { class: 'schema' }, schema.type && el('span', { class: 'type' }, typeText(schema)), note(schema));
  const list = fields(inner);
  return inner === schema ? list : [el('p', { class: 'type' }, typeText(schema)), list];
}

/** "integer, 1 to 200, default 50", "text or null", "array of objects" */
export function typeText(schema = {}) {
  const options = optionsOf(schema);
  if (options) {
    const texts = [...new Set(options.map(typeText))];
    // "null" reads best at the end.
    return [...texts.filter((text) => text !== 'null'), ...texts.filter((text) => text === 'null')].join(' or ');
  }
  if ('const' in schema) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(' or ');
  if (schema.type === 'array')
    return ['array of', bounds(schema, 'Items'), plural(typeText(schema.items))].filter(Boolean).join(' ');
  const name = schema.type === 'string' ? 'text' : (schema.type ?? 'anything');
  const limits =
    schema.type === 'string' ? bounds(schema, 'Length', ' characters') : range(schema.minimum, schema.maximum);
  return [name, limits, 'default' in schema && `default ${JSON.stringify(schema.default)}`].filter(Boolean).join(', ');
}

/** What a value may be one of; `type: ['string', 'null']` is two. */
function optionsOf(schema) {
  if (Array.isArray(schema.type)) return schema.type.map((type) => ({ ...schema, type }));
  return schema.anyOf ?? schema.oneOf;
}

function fields({ properties = {}, required = [] }) {
  return el(
    'ul',
    { class: 'schema' },
    Object.entries(properties).map(([name, schema]) => {
      const inner = objectIn(schema);
      return el(
        'li',
        null,
        el('code', null, name),
        ' ',
        el('span', { class: 'type' }, typeText(schema)),
        !required.includes(name) && el('small', null, ' optional'),
        note(schema),
        inner && fields(inner),
      );
    }),
  );
}

/** The object whose fields have to be shown: itself, an array's, or one of several. */
function objectIn(schema = {}) {
  if (schema.properties) return schema;
  if (schema.items) return objectIn(schema.items);
  return (schema.anyOf ?? schema.oneOf)?.map(objectIn).find(Boolean);
}

function note(schema) {
  const text = schema.description ?? schema.anyOf?.map((one) => one.description).find(Boolean);
  return text && el('p', null, text);
}

function bounds(schema, what, unit = '') {
  const text = range(schema[`min${what}`], schema[`max${what}`]);
  return text && text + unit;
}

function range(min, max) {
  const to = max === Number.MAX_SAFE_INTEGER ? undefined : max; // says nothing that people want to know
  if (min !== undefined && to !== undefined) return `${min} to ${to}`;
  if (to !== undefined) return `up to ${to}`;
  return min === undefined ? '' : `from ${min}`;
}

const plural = (text) => text.replace(/^(text|object|integer|number)\b/, '$1s');
