/**
 * The cookie by which a browser is signed in. Its value is a token like any other, so it is listed, expires and is revoked
 * like one; here it becomes the `authorization` that programs send.
 */
import type { IncomingHttpHeaders } from "node:http";
import { refuse, type Refusal } from "#api/errors.ts";

const cookieName = "towline_session";

interface Request {
  method: string;
  headers: IncomingHttpHeaders;
}

/**
 * What the request says of who sends it. A cookie counts only without an `authorization`, and for what changes something only
 * from a page of our own: browsers name the page's origin in every such request. Refuses with `auth.other-origin`.
 */
export function authorizationOf({ method, headers }: Request): string | undefined | Refusal {
  if (headers.authorization !== undefined) return headers.authorization;
  const token = readCookie(headers.cookie ?? "");
  if (token === undefined) return undefined;
  if (method !== "GET" && method !== "HEAD" && !isOwnOrigin(headers))
    return refuse("auth.other-origin", "a page of another address asked for this in your name", {
      fix: "Ask from Towline's own pages, or with a token.",
    });
  return `Bearer ${token}`;
}

function readCookie(cookies: string): string | undefined {
  const pair = cookies.split(/; */).find((each) => each.startsWith(`${cookieName}=`));
  return pair?.slice(cookieName.length + 1) || undefined;
}

/** Whether the page that asks came from the host that is asked. The scheme may differ: a proxy may speak TLS for us. */
export function isOwnOrigin({ origin, host }: IncomingHttpHeaders): boolean {
  return origin !== undefined && host !== undefined && URL.parse(origin)?.host === host.toLowerCase();
}

/** @param seconds life of the cookie; 0 removes it */
export function sessionCookie(token: string, seconds: number, secure: boolean): string {
  const parts = [`${cookieName}=${token}`, "Path=/", "HttpOnly", "SameSite=Strict", `Max-Age=${seconds}`];
  return [...parts, ...(secure ? ["Secure"] : [])].join("; ");
}
