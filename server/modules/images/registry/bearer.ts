/** The short-lived tokens of the registry: signed claims, so that the many requests of one push ask the database nothing. */
import { createHmac, createSecretKey, randomUUID, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Clock } from "#kernel/clock.ts";
import { actions, type Claim } from "../core/rights.ts";

export const service = "towline";
/** Also how long a revoked platform token goes on reaching images. */
export const lifeSeconds = 300;

export interface Bearer {
  subject: string;
  claims: Claim[];
}

export interface BearerTokens {
  issue(bearer: Bearer): { token: string; issuedAt: Date };
  /** Undefined for a token that is not ours, was changed, or has ended. */
  read(token: string): Bearer | undefined;
}

const payload = z.object({
  iss: z.literal(service),
  aud: z.literal(service),
  sub: z.string(),
  exp: z.int(),
  access: z.array(z.object({ type: z.literal("repository"), name: z.string(), actions: z.array(z.enum(actions)) })),
});

const header = encode({ typ: "JWT", alg: "HS256" });

export function createBearerTokens(key: Buffer, clock: Clock): BearerTokens {
  // Made once, for from plain bytes it would be made anew for every request.
  const secret = createSecretKey(key);
  const sign = (text: string) => createHmac("sha256", secret).update(text).digest();
  return {
    issue({ subject, claims }) {
      const issuedAt = clock.now();
      const iat = Math.floor(issuedAt.getTime() / 1000);
      const times = { iat, nbf: iat, exp: iat + lifeSeconds, jti: randomUUID() };
      const text = `${header}.${encode({ iss: service, aud: service, sub: subject, ...times, access: claims })}`;
      return { token: `${text}.${sign(text).toString("base64url")}`, issuedAt };
    },
    read(token) {
      const [, text = "", body = "", signature = ""] = /^([\w-]+\.([\w-]+))\.([\w-]+)$/.exec(token) ?? [];
      const expected = sign(text);
      const given = Buffer.from(signature, "base64url");
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
      const { success, data } = payload.safeParse(JSON.parse(Buffer.from(body, "base64url").toString()));
      if (!success || data.exp * 1000 <= clock.now().getTime()) return undefined;
      return { subject: data.sub, claims: data.access };
    },
  };
}

/** Whether an `authorization` value is of this kind: platform tokens have no dots. */
export function looksSigned(token: string): boolean {
  return token.split(".").length === 3;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
