// Examples that run as they stand once API and TOKEN are set.

/** The curl command of an operation. */
export function curlExample({ method, path, parameters = [], requestBody, signedIn }) {
  const [[type, { example } = {}] = []] = Object.entries(requestBody?.content ?? {});
  const lines = [`curl -sS "$API${path.replace(/\{.+?\}/g, '1')}${requiredQuery(parameters)}"`];
  // curl takes --json for a POST and --data-binary too; everything else has to be said.
  if (method !== (type ? 'post' : 'get')) lines[0] = lines[0].replace('-sS', `-sS -X ${method.toUpperCase()}`);
  if (signedIn) lines.push('-H "Authorization: Bearer $TOKEN"');
  if (type === 'application/json') lines.push(`--json ${quoted(JSON.stringify(example))}`);
  else if (type) lines.push(`-H 'content-type: ${type}'`, '--data-binary @file.csv');
  return lines.join(' \\\n  ');
}

function requiredQuery(parameters) {
  const wanted = parameters.filter((one) => one.in === 'query' && one.required);
  return wanted.length === 0
    ? ''
    : `?${wanted.map(({ name, example }) => `${name}=${encodeURIComponent(example)}`).join('&')}`;
}

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
