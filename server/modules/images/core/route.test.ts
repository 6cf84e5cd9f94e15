import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isFault } from "./fault.ts";
import { isRepository } from "./names.ts";
import { parseRoute } from "./route.ts";

const digest = `sha256:${"a".repeat(64)}`;
const upload = "0b5ad5c8-7d3e-4f6c-9a51-2f60f8f5d0aa";

describe("a path below /v2/", () => {
  test.each([
    ["/v2/", { kind: "base" }],
    ["/v2", { kind: "base" }],
    ["/v2/token", { kind: "token" }],
    ["/v2/a/blobs/uploads/", { kind: "uploads", repository: "a" }],
    ["/v2/a/b/blobs/uploads", { kind: "uploads", repository: "a/b" }],
    [`/v2/a/blobs/uploads/${upload}`, { kind: "upload", repository: "a", upload }],
    [`/v2/a/blobs/${digest}`, { kind: "blob", repository: "a", digest }],
    [`/v2/a/blobs/${digest.replace(":", "%3A")}`, { kind: "blob", repository: "a", digest }],
    ["/v2/a/manifests/v1.0_b-2", { kind: "manifest", repository: "a", reference: { kind: "tag", tag: "v1.0_b-2" } }],
    [`/v2/a/manifests/${digest}`, { kind: "manifest", repository: "a", reference: { kind: "digest", digest } }],
    ["/v2/a/tags/list", { kind: "tags", repository: "a" }],
    [`/v2/a/referrers/${digest}`, { kind: "referrers", repository: "a", digest }],
    ["/v2/manifests/tags/list", { kind: "tags", repository: "manifests" }],
    [
      "/v2/blobs/uploads/manifests/x",
      { kind: "manifest", repository: "blobs/uploads", reference: { kind: "tag", tag: "x" } },
    ],
  ])("%s is read from its end", (path, route) => {
    expect(parseRoute(path)).toEqual(route);
  });

  test.each([
    ["/v2/A/tags/list", "NAME_INVALID", 400],
    ["/v2/a%00/tags/list", "NAME_INVALID", 400],
    ["/v2/a/../b/tags/list", "NAME_INVALID", 400],
    ["/v2/a%2F%2Fb/tags/list", "NAME_INVALID", 400],
    ["/v2//tags/list", "NAME_INVALID", 400],
    [`/v2/${"a".repeat(256)}/tags/list`, "NAME_INVALID", 400],
    ["/v2/%zz/tags/list", "NAME_INVALID", 400],
    [`/v2/${"a/".repeat(5000)}tags/list`, "NAME_INVALID", 400],
    ["/v2/a/blobs/sha256:zz", "DIGEST_INVALID", 400],
    ["/v2/a/blobs/uploads/not-an-id", "BLOB_UPLOAD_UNKNOWN", 404],
    ["/v2/a/manifests/-x", "MANIFEST_INVALID", 400],
    ["/v2/_catalog", "UNSUPPORTED", 404],
    ["/v2/a/tags/all", "UNSUPPORTED", 404],
  ])("%s is refused", (path, fault, status) => {
    expect(parseRoute(path)).toMatchObject({ fault, status });
  });

  test("whatever it is, it is understood or refused, and a repository in it is one", () => {
    const word = fc.oneof(
      fc.constantFrom(
        "blobs",
        "uploads",
        "manifests",
        "tags",
        "list",
        "referrers",
        "a",
        "",
        "..",
        "%2e",
        "%",
        digest,
        upload,
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 7 }), (words) => {
        const route = parseRoute(`/v2/${words.join("/")}`);
        if (isFault(route)) expect(route.status).toBeLessThan(500);
        else expect("repository" in route ? isRepository(route.repository) : true).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
