/**
 * Where Docker's clients trade a platform token for a signed one that opens the asked repositories, as far as the caller may.
 * The "refresh token" they ask to keep is the platform token itself: it lives as long, and is revoked in one place.
 */
import type { IncomingMessage } from "node:http";
import type { Access } from "#access";
import { isRefusal } from "#api/errors.ts";
import type { Principal } from "#kernel/http.ts";
import { type Fault, fault, isFault } from "../core/fault.ts";
import { allowedClaims, parseScopes } from "../core/rights.ts";
import { type BearerTokens, lifeSeconds } from "./bearer.ts";
import { readBody } from "./body.ts";
import { type Answer, json } from "./call.ts";

interface Deps {
  access: Pick<Access, "authenticate">;
  tokens: BearerTokens;
}

interface Asked {
  /** The platform token. */
  secret: string;
  scopes: string[];
  wantsRefreshToken: boolean;
}

const largestForm = 64 * 1024;
const challenge = { "www-authenticate": 'Basic realm="towline"' };

/** Answers GET (Basic) and POST (form: `refresh_token` or `password`). */
export async function answerToken(
  request: IncomingMessage,
  query: URLSearchParams,
  deps: Deps,
): Promise<Answer | Fault> {
  const asked = request.method === "POST" ? await readForm(request) : readQuery(request, query);
  if (isFault(asked)) return asked;
  const principal = await principalOf(asked.secret, deps.access);
  if (isFault(principal)) return principal;
  const claims = allowedClaims(principal, parseScopes(asked.scopes));
  const { token, issuedAt } = deps.tokens.issue({ subject: principal.name, claims });
  return json(
    {
      token,
      access_token: token,
      expires_in: lifeSeconds,
      issued_at: issuedAt.toISOString(),
      ...(asked.wantsRefreshToken ? { refresh_token: asked.secret } : {}),
    },
    { "cache-control": "no-store" },
  );
}

async function principalOf(secret: string, access: Deps["access"]): Promise<Principal | Fault> {
  const principal = await access.authenticate(`Bearer ${secret}`);
  if (principal && !isRefusal(principal)) return principal;
  return fault("UNAUTHORIZED", principal?.message ?? "a token is needed", { headers: challenge });
}

function readQuery({ headers }: IncomingMessage, query: URLSearchParams): Asked | Fault {
  const secret = basicPassword(headers.authorization ?? "");
  if (!secret) return fault("UNAUTHORIZED", "give your Towline token as the password", { headers: challenge });
  return { secret, scopes: query.getAll("scope"), wantsRefreshToken: query.get("offline_token") === "true" };
}

async function readForm(request: IncomingMessage): Promise<Asked | Fault> {
  const body = await readBody(request, largestForm);
  if (isFault(body)) return body;
  const form = new URLSearchParams(body.toString());
  const secret = form.get("refresh_token") ?? form.get("password");
  if (!secret) return fault("UNAUTHORIZED", "the form has neither refresh_token nor password", { headers: challenge });
  return { secret, scopes: form.getAll("scope"), wantsRefreshToken: form.get("access_type") === "offline" };
}

function basicPassword(authorization: string): string | undefined {
  const [, value = ""] = /^basic +([A-Za-z0-9+/=_-]+)$/i.exec(authorization) ?? [];
  const text = Buffer.from(value, "base64").toString();
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : text.slice(colon + 1);
}
