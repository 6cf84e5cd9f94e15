/** What an `authorization` header carries. */
export interface Credentials {
  token: string;
}

/**
 * The token in an `authorization` header, in the two forms that arrive: `Bearer <token>`, and `Basic` with the token as the
 * password (Git and Docker; the name beside it decides nothing). Undefined when the header has another form.
 */
export function parseAuthorization(header: string): Credentials | undefined {
  const [, scheme = "", value = ""] = /^(\w+) +([A-Za-z0-9._~+/=-]+)$/.exec(header.trim()) ?? [];
  if (/^bearer$/i.test(scheme)) return { token: value };
  if (!/^basic$/i.test(scheme)) return undefined;
  const text = Buffer.from(value, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { token: text.slice(colon + 1) };
}
