/** What is to be said of a release's signature, in plain words. */
import type { Output } from "../api/call.ts";
import type { Tone } from "../theme.ts";

type Verified = Pick<Output<"verifyRelease">, "checks" | "attestation">;

export interface Standing {
  tone: Tone;
  title: string;
  /** What it means, and what to do. */
  words: string;
}

export function standingOf({ checks, attestation: { state, reason } }: Verified): Standing {
  if (state === "waiting")
    return {
      tone: "busy",
      title: "Being signed",
      words: "Its image is being read, then it is signed. This page shows it by itself when it is done.",
    };
  const bad = checks.filter(({ ok }) => !ok);
  if (bad.length === 0)
    return {
      tone: "good",
      title: "Verified: the signature holds",
      words: "The image is the one that this installation built and signed, and nobody changed it since.",
    };
  if (state === "failed")
    return {
      tone: "bad",
      title: "It could not be signed",
      words: `${reason ?? "No reason was kept"}. Mend that, then have it signed again.`,
    };
  if (state === "none")
    return {
      tone: "none",
      title: "Not signed",
      words: "It was released before Towline signed releases. Have it signed to see its packages and where it is from.",
    };
  return {
    tone: "bad",
    title: bad.some(({ what }) => what === "signature") ? "The signature does not hold" : "Not all of it is verified",
    words: "Do not trust the image before you know why. Signing it again restores what went missing.",
  };
}

export const checkNames = {
  signature: "Signature",
  sbom: "List of packages (SBOM)",
  provenance: "Where it is from (provenance)",
} as const satisfies Record<Verified["checks"][number]["what"], string>;
