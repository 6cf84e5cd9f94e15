import type { IncomingMessage } from "node:http";

const hostPattern = /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/i;

/**
 * The address by which the client came, so that it can come back for a token: the public one when it came by that, else
 * the host it named. A `Host` that could be anything else is not repeated.
 */
export function addressOf(
  { headers, socket }: Pick<IncomingMessage, "headers" | "socket">,
  publicUrl?: string,
): string {
  const host = headers.host ?? "";
  if (publicUrl && (new URL(publicUrl).host === host || !hostPattern.test(host))) return publicUrl.replace(/\/+$/, "");
  if (hostPattern.test(host)) return `http://${host}`;
  const { localAddress = "127.0.0.1", localPort } = socket;
  return `http://${localAddress.includes(":") ? `[${localAddress}]` : localAddress}:${localPort}`;
}
