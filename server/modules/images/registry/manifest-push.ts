import { createHash } from "node:crypto";
import { checkedDigest } from "#drivers/blobs/digest.ts";
import { type Fault, fault, isFault } from "../core/fault.ts";
import { type ParsedManifest, parseManifest } from "../core/manifest.ts";
import { isTag } from "../core/names.ts";
import type { Call, RouteOf } from "./call.ts";

export interface ManifestPush {
  repository: string;
  digest: string;
  tags: string[];
  content: Buffer;
  parsed: ParsedManifest;
  actor: string;
}

const mostTags = 100;

/** What a PUT of this content asks for: a push by digest may name tags as parameters. */
export function readPush(call: Call<RouteOf<"manifest">>, content: Buffer): ManifestPush | Fault {
  const { repository, reference } = call.route;
  const { algorithm } = reference.kind === "digest" ? checkedDigest(reference.digest) : { algorithm: "sha256" };
  const digest = `${algorithm}:${createHash(algorithm).update(content).digest("hex")}`;
  if (reference.kind === "digest" && reference.digest !== digest)
    return fault("DIGEST_INVALID", `the content is ${digest}`);
  const tags = reference.kind === "tag" ? [reference.tag] : [...new Set(call.query.getAll("tag"))];
  if (tags.length > mostTags || !tags.every(isTag)) return fault("MANIFEST_INVALID", "a tag parameter is no tag");
  const parsed = parseManifest(call.request.headers["content-type"], content);
  return isFault(parsed) ? parsed : { repository, digest, tags, content, parsed, actor: call.caller.name };
}
