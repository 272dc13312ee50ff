/**
 * How the addresses of the servers are read. The libraries that get them decode their parts, and fail with an error that
 * names no variable; and they take settings behind the ? which win over those that this service makes.
 */

/** Parses the text of a variable (undefined if it is not set) into its value, or adds a sentence to `faults`. */
export type Reader<T> = (raw: string | undefined, name: string, faults: string[]) => T;

/** `faultOf` says what else is wrong with one, behind the name of the variable. */
export function address(
  schemes: readonly string[],
  faultOf: (address: URL) => string | undefined = () => undefined,
): Reader<string> {
  const needed = `must be an address that starts with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`;
  return (raw, name, faults) => {
    if (raw === undefined) {
      faults.push(
        `${name} is missing: set it to a ${schemes[0]}//… address, or run \`npm start\`, which brings its own`,
      );
      return '';
    }
    const hasScheme = schemes.some((scheme) => raw.toLowerCase().startsWith(`${scheme}//`));
    const fault = !hasScheme ? needed : isReadable(raw) ? faultOf(new URL(raw)) : UNREADABLE;
    if (fault !== undefined) faults.push(`${name} ${fault}`);
    return raw;
  };
}

const UNREADABLE =
  'cannot be read as an address: in its user name and password, / is written as %2F, # as %23, ? as %3F and % as %25';

const OUR_DATABASE_SETTINGS = [
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'query_timeout',
];

export const databaseServer = address(['postgres:', 'postgresql:'], ({ searchParams }) => {
  const settings = [...searchParams.keys()].filter((setting) => OUR_DATABASE_SETTINGS.includes(setting));
  return settings.length === 0
    ? undefined
    : `has settings after the ? (${settings.join(', ')}) that the limits of this service depend on: leave them out`;
});

export const mailServer = address(
  ['smtp:', 'smtps:'],
  (server) => unreadSettings(server, 'say SMTP_TLS for its certificate') ?? missingHost(server),
);

/** ioredis takes any other name of a database for the first one, and goes on. */
export const redisServer = address(
  ['redis:', 'rediss:'],
  (server) =>
    unreadSettings(server, 'leave them out') ??
    missingHost(server) ??
    (/^\/?\d*$/.test(server.pathname)
      ? undefined
      : 'must end after the port, or with the number of a database, as in /1'),
);

function unreadSettings({ searchParams }: URL, remedy: string): string | undefined {
  const settings = [...searchParams.keys()];
  return settings.length === 0
    ? undefined
    : `has settings after the ? (${settings.join(', ')}), which are not read: ${remedy}`;
}

function missingHost({ hostname }: URL): string | undefined {
  return hostname === '' ? 'names no host' : undefined;
}

function isReadable(address: string): boolean {
  try {
    const { username, password, pathname } = new URL(address);
    return [username, password, pathname].every((part) => decodeURIComponent(part) !== undefined);
  } catch {
    return false;
  }
}
