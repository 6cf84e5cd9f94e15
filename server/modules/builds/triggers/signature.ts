/** Signatures of bodies as GitHub makes them: `X-Hub-Signature-256`. */
import { createHmac, timingSafeEqual } from "node:crypto";

export const signatureOf = (secret: string, body: Buffer): string =>
  `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;

export function isSignedBy(secret: string, body: Buffer, signature: string | undefined): boolean {
  const expected = Buffer.from(signatureOf(secret, body));
  const given = Buffer.from(signature ?? "");
  return given.length === expected.length && timingSafeEqual(given, expected);
}
