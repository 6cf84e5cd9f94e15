import { createHash } from "node:crypto";
import type { Role } from "#api/endpoint.ts";
import { refuse, type Refusal } from "#api/errors.ts";
import type { Clock } from "#kernel/clock.ts";
import type { Grants, Principal } from "#kernel/http.ts";
import { together } from "#kernel/together.ts";
import { parseAuthorization } from "./core/credentials.ts";
import { type accessStore, usedGranularityMs } from "./store.ts";

export type Authenticate = (authorization: string | undefined) => Promise<Principal | Refusal | undefined>;

const mostNoted = 10_000;

export const hashOf = (secret: string) => createHash("sha256").update(secret).digest("hex");

export function createAuthenticate(store: ReturnType<typeof accessStore>, clock: Clock): Authenticate {
  /** One question for all who come in one moment; nobody is let in by an answer to a question from before he came. */
  const tokenOf = together(async (_, hashes: string[]) => {
    const found = await store.tokensByHash(hashes, clock.now());
    return hashes.map((hash) => found.find((token) => token.hash === hash));
  });

  /** When this process noted the use of a token last. */
  const noted = new Map<string, number>();

  async function noteUse(id: string): Promise<void> {
    const now = clock.now();
    if (now.getTime() - (noted.get(id) ?? -Infinity) < usedGranularityMs) return;
    if (noted.size >= mostNoted) noted.clear();
    noted.set(id, now.getTime());
    await store.noteUse(id, now);
  }

  return async (authorization) => {
    if (!authorization) return undefined;
    const credentials = parseAuthorization(authorization);
    const found = credentials && (await tokenOf("", hashOf(credentials.token)));
    if (!found)
      return refuse("auth.bad-token", "the token is unknown, expired or revoked", { fix: "Run `towline login`." });
    await noteUse(found.id);
    if (found.kind === "user")
      return { kind: "user", name: found.user_name ?? "", role: found.role as Role, token: found.id };
    if (found.kind === "agent" || found.kind === "ingress")
      return { kind: found.kind, name: found.name, token: found.id };
    return { kind: "job", name: found.name, token: found.id, grants: found.grants as Grants };
  };
}
