/**
 * How the addresses of the servers are read. The libraries that get them decode their parts, and fail with an error that
 * names no variable; and they take settings behind the ? which win over those that this service makes.
 */

/** Parses the text of a variable (undefined if it is not set) into its value, or adds a sentence to `faults`. */
export type Reader<T> = (raw: string | undefined, name: string, faults: string[]) => T;

export function address(...schemes: readonly string[]): Reader<string> {
  return (raw, name, faults) => {
    if (raw === undefined) {
      faults.push(
        `${name} is missing: set it to a ${schemes[0]}//… address, or run \`npm start\`, which brings its own`,
      );
      return '';
    }
    const begins = schemes.some((scheme) => raw.toLowerCase().startsWith(`${scheme}//`));
    const needed = `an address that starts with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`;
    if (!begins) faults.push(`${name} must be ${needed}`);
    else if (!isReadable(raw))
      faults.push(
        `${name} cannot be read as an address: in its user name and password, / is written as %2F, # as %23, ? as %3F and % as %25`,
      );
    return raw;
  };
}

const OUR_DATABASE_SETTINGS = [
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'query_timeout',
];

export function databaseServer(raw: string | undefined, name: string, faults: string[]): string {
  const before = faults.length;
  const url = address('postgres:', 'postgresql:')(raw, name, faults);
  if (faults.length > before) return url;
  const settings = settingsIn(url).filter((setting) => OUR_DATABASE_SETTINGS.includes(setting));
  if (settings.length > 0)
    faults.push(
      `${name} has settings after the ? (${settings.join(', ')}) that the limits of this service depend on: leave them out`,
    );
  return url;
}

export function mailServer(raw: string | undefined, name: string, faults: string[]): string {
  const before = faults.length;
  const url = address('smtp:', 'smtps:')(raw, name, faults);
  if (faults.length > before) return url;
  const settings = settingsIn(url);
  if (settings.length > 0)
    faults.push(
      `${name} has settings after the ? (${settings.join(', ')}), which are not read; say SMTP_TLS for its certificate`,
    );
  else if (hasNoHost(url)) faults.push(`${name} names no host`);
  return url;
}

/** ioredis takes any other name for the first database, and goes on. */
export function redisServer(raw: string | undefined, name: string, faults: string[]): string {
  const before = faults.length;
  const url = address('redis:', 'rediss:')(raw, name, faults);
  if (faults.length > before) return url;
  const settings = settingsIn(url);
  if (settings.length > 0)
    faults.push(`${name} has settings after the ? (${settings.join(', ')}), which are not read: leave them out`);
  else if (hasNoHost(url)) faults.push(`${name} names no host`);
  else if (!/^\/?\d*$/.test(new URL(url).pathname))
    faults.push(`${name} must end after the port, or with the number of a database, as in /1`);
  return url;
}

function isReadable(address: string): boolean {
  try {
    const { username, password, pathname } = new URL(address);
    return [username, password, pathname].every((part) => decodeURIComponent(part) !== undefined);
  } catch {
    return false;
  }
}

function settingsIn(url: string): string[] {
  return [...new URL(url).searchParams.keys()];
}

function hasNoHost(url: string): boolean {
  return new URL(url).hostname === '';
}
