import { el, put } from '../el.js';
import { curlExample } from './curl.js';
import { schemaTree, typeText } from './schema.js';
import { tryPanel } from './try-panel.js';

/** One operation, folded. What is inside is made when it is first opened: the page draws quickly, also on a phone. */
export function operationCard(operation) {
  const { id, method, path, summary } = operation;
  const inside = el('div', { class: 'inside' });
  const head = el(
    'summary',
    null,
    el('span', { class: `method ${method}` }, method.toUpperCase()),
    el(
      'code',
      null,
      path.split('/').flatMap((part, i) => (i === 0 ? [part] : [el('wbr'), `/${part}`])),
    ),
    el('span', { class: 'soft' }, summary),
  );
  const card = el('details', { class: 'card operation', id }, head, inside);
  card.addEventListener('toggle', () => card.open && put(inside, contents(operation)), { once: true });
  return card;
}

function contents(operation) {
  const { description, parameters = [], requestBody, responses = {}, method } = operation;
  const problems = operation['x-problems'] ?? [];
  return [
    description && el('p', null, description),
    el('p', { class: 'soft' }, whoMay(operation)),
    parameters.length > 0 && [
      el('h3', null, 'Parameters'),
      el('ul', { class: 'schema' }, parameters.map(parameterRow)),
    ],
    requestBody && Object.entries(requestBody.content).map(([type, { schema }]) => bodyPart('Body', type, schema)),
    el('h3', null, 'Example'),
    el('pre', { tabindex: '0' }, curlExample(operation)),
    Object.entries(responses).map(([status, response]) => !response.$ref && responsePart(status, response)),
    problems.length > 0 && [
      el('h3', null, 'Problems '),
      el(
        'ul',
        { class: 'schema' },
        problems.map((code) => el('li', null, el('a', { href: `/problems/${code}` }, el('code', null, code)))),
      ),
    ],
    method === 'get' && tryPanel(operation),
  ];
}

function whoMay({ signedIn, 'x-role': role, 'x-operator': operator }) {
  if (!signedIn) return 'Open to everyone.';
  if (operator) return 'Needs the token of a person who runs the platform.';
  return role ? `Needs a token; ${role} or above.` : 'Needs a token.';
}

function parameterRow({ name, in: place, required, schema, description }) {
  const note = [place === 'path' ? 'in the path' : place, required ? '' : 'optional'].filter(Boolean).join(', ');
  return el(
    'li',
    null,
    el('code', null, name),
    ' ',
    el('span', { class: 'type' }, typeText(schema)),
    ' ',
    el('small', null, note),
    (description ?? schema.description) && el('p', null, description ?? schema.description),
  );
}

function bodyPart(title, type, schema) {
  return [el('h3', null, `${title} `, el('small', null, type)), schemaTree(schema)];
}

function responsePart(status, { content }) {
  const types = Object.entries(content ?? {});
  if (types.length === 0) return el('h3', null, `Response ${status} `, el('small', null, 'without a body'));
  return types.map(([type, { schema }]) => bodyPart(`Response ${status}`, type, schema));
}
