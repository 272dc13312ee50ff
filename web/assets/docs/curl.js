// Examples that run as they stand once API and TOKEN are set.

const BY_NAME = {
  email: 'ada@example.com',
  password: 'three quiet words',
  fileName: 'file.csv',
  organisation: 'Acme',
  name: 'Ada',
  cron: '0 9 * * 1',
  timeZone: 'Europe/Berlin',
};

/** The curl command of an operation. */
export function curlExample({ method, path, parameters = [], requestBody, signedIn }) {
  const [[type, { schema } = {}] = []] = Object.entries(requestBody?.content ?? {});
  const lines = [`curl -sS "$API${path.replace(/\{.+?\}/g, '1')}${requiredQuery(parameters)}"`];
  // curl takes --json for a POST and --data-binary too; everything else has to be said.
  if (method !== (type ? 'post' : 'get')) lines[0] = lines[0].replace('-sS', `-sS -X ${method.toUpperCase()}`);
  if (signedIn) lines.push('-H "Authorization: Bearer $TOKEN"');
  if (type === 'application/json') lines.push(`--json ${quoted(JSON.stringify(sample(schema)))}`);
  else if (type) lines.push(`-H 'content-type: ${type}'`, '--data-binary @file.csv');
  return lines.join(' \\\n  ');
}

function requiredQuery(parameters) {
  const wanted = parameters.filter((one) => one.in === 'query' && one.required);
  return wanted.length === 0 ? '' : `?${wanted.map(({ name, schema }) => `${name}=${sample(schema, name)}`).join('&')}`;
}

/** A value that the schema accepts: its own example, or one that fits the field's name. Optional fields are left out, unless all are. */
function sample(schema = {}, name = '') {
  if (schema.examples?.length > 0) return schema.examples[0];
  const first = schema.anyOf?.[0] ?? schema.oneOf?.[0];
  if (first) return sample(first, name);
  if (schema.type === 'object') {
    const all = Object.entries(schema.properties ?? {});
    const needed = all.filter(([key]) => schema.required?.includes(key));
    return Object.fromEntries(
      (needed.length > 0 ? needed : all.slice(0, 1)).map(([key, one]) => [key, sample(one, key)]),
    );
  }
  if (name in BY_NAME) return BY_NAME[name];
  if (schema.type === 'array') return [sample(schema.items)];
  if (schema.type === 'integer' || schema.type === 'number') return schema.default ?? schema.minimum ?? 1;
  if (schema.type === 'boolean') return true;
  const now = new Date(Date.now() + 86_400_000).toISOString();
  if (schema.description?.startsWith('YYYY')) return now.slice(0, 10);
  return /^at$|At$|^ISO/.test(name) || schema.format === 'date-time' ? now : 'text';
}

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
