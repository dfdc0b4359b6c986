/** Addresses as text and as values. */

/** Where a server listens. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`. */
export function formatAddress({ host, port }: Address): string {
  return `${host}:${port}`;
}

/** The parts of `host` or `host:port`; throws a TypeError on anything else. */
export function parseAddress(text: string, defaultPort: number): Address {
  const match = /^([^\s:]+)(?::(\d{1,5}))?$/.exec(text);
  const port = match?.[2] === undefined ? defaultPort : Number(match[2]);
  if (match?.[1] === undefined || port < 1 || port > 65535)
    throw new TypeError(`not host:port: ${JSON.stringify(text)}`);
  return { host: match[1], port };
}
