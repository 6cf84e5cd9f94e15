import { z } from "zod";
import { administering, anyRole, developing, endpoints } from "../endpoint.ts";
import { digest, serviceName } from "../names.ts";

const params = z.object({ service: serviceName, number: z.coerce.number().int().positive() });

const attestation = z.object({
  state: z
    .enum(["none", "waiting", "made", "failed"])
    .describe("How far the platform is with it; none: it was not asked."),
  reason: z.string().nullable().describe("Why it failed."),
});

const attestationKey = z.object({
  id: z.string().describe("SHA-256 of the key (DER) in hex."),
  publicKey: z.string().describe("PEM."),
  createdAt: z.iso.datetime(),
  retiredAt: z.iso.datetime().nullable().describe("Null: it signs."),
});

const changed = z.object({ type: z.string(), name: z.string(), version: z.string() });

export const attestationEndpoints = endpoints({
  showAttestationKey: {
    method: "GET",
    path: "/api/attestation-key",
    summary: "The public key of what this installation signs, as `cosign verify --key` takes it.",
    auth: "public",
    response: attestationKey.extend({
      algorithm: z.literal("ecdsa-p256-sha256"),
      older: z.array(attestationKey).describe("Those that signed before it, newest first: what they signed counts on."),
    }),
  },
  rotateAttestationKey: {
    method: "POST",
    path: "/api/attestation-key/rotate",
    summary: "Makes a new key that signs from now on; what older keys signed counts on.",
    auth: { roles: administering },
    response: attestationKey.extend({ before: z.string().nullable().describe("Id of the key that signed until now.") }),
  },
  attestRelease: {
    method: "POST",
    path: "/api/services/:service/releases/:number/attestation",
    summary: "Makes bill of materials, provenance and signature of a release, again if they were made before.",
    auth: { roles: developing },
    params,
    response: z.object({ attestation }),
    errors: ["release.none"],
  },
  verifyRelease: {
    method: "GET",
    path: "/api/services/:service/releases/:number/verification",
    summary: "Checks what is attached to a release's image against the keys of this installation.",
    auth: { roles: anyRole },
    params,
    response: z.object({
      image: z.string(),
      digest,
      attestation,
      checks: z.array(
        z.object({
          what: z.enum(["signature", "sbom", "provenance"]),
          ok: z.boolean(),
          key: z.string().nullable().describe("Id of the key that signed it."),
          reason: z.string(),
        }),
      ),
      packages: z.int().nullable(),
      /** As signed. */
      provenance: z
        .object({
          repository: z.string(),
          commit: z.string().nullable(),
          branch: z.string().nullable(),
          build: z.string(),
          number: z.int().nullable(),
          agent: z.string().nullable(),
          builder: z.string(),
          startedAt: z.string().nullable(),
          finishedAt: z.string().nullable(),
        })
        .nullable(),
    }),
    errors: ["release.none"],
  },
  showReleaseImage: {
    method: "GET",
    path: "/api/services/:service/releases/:number/image",
    summary:
      "The image of a release: layers, sizes, packages with their licences, and what changed since the release before.",
    auth: { roles: anyRole },
    params,
    query: z.object({
      after: z.string().max(2000).default("").describe("Only packages behind this purl."),
      find: z
        .string()
        .max(200)
        .default("")
        .describe("Only packages with this text in name, version, type or a licence."),
      limit: z.coerce.number().int().min(0).max(1000).default(200),
    }),
    response: z.object({
      image: z.string(),
      digest,
      platform: z.string().nullable(),
      /** Bytes, as they are transferred. */
      size: z.int(),
      layers: z.array(
        z.object({
          ...{ mediaType: z.string(), digest: z.string(), size: z.int() },
          createdBy: z.string().nullable().describe("The line of the Dockerfile, where the image says."),
        }),
      ),
      attestation,
      previous: z.int().nullable(),
      /** Since the release before; null where one of the two has no signed bill of materials. At most 500 of each. */
      changes: z
        .object({
          counts: z.object({ added: z.int(), removed: z.int(), changed: z.int() }),
          added: z.array(changed),
          removed: z.array(changed),
          changed: z.array(z.object({ type: z.string(), name: z.string(), from: z.string(), to: z.string() })),
        })
        .nullable(),
      /** Null while there is no signed bill of materials. */
      packageCount: z.int().nullable(),
      /** Of how many `find` is true. */
      found: z.int(),
      /** By purl. */
      packages: z.array(
        z.object({
          ...{ type: z.string(), name: z.string(), version: z.string(), purl: z.string() },
          licences: z.array(z.string()),
        }),
      ),
    }),
    errors: ["release.none"],
  },
});
