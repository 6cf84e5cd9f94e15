/** What a path below `/v2/` means. Repository names hold slashes, so it is read from its end. */
import { type Fault, fault } from "./fault.ts";
import { isDigest, isRepository, parseReference, type Reference } from "./names.ts";

export type Route =
  | { kind: "base" }
  | { kind: "token" }
  | { kind: "uploads"; repository: string }
  | { kind: "upload"; repository: string; upload: string }
  | { kind: "blob"; repository: string; digest: string }
  | { kind: "manifest"; repository: string; reference: Reference }
  | { kind: "tags"; repository: string }
  | { kind: "referrers"; repository: string; digest: string };

const uploadId = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Repository, digest and the words between, percent-encoded at worst. */
const longestPath = 4096;

/** The route of a raw path, query left out; a fault when no part of it can be understood. */
export function parseRoute(path: string): Route | Fault {
  if (path === "/v2" || path === "/v2/") return { kind: "base" };
  if (path === "/v2/token") return { kind: "token" };
  const segments = path.length > longestPath ? undefined : decodeSegments(path);
  if (!segments) return fault("NAME_INVALID", "the path is not understood");
  // `POST …/blobs/uploads` without its slash is a common slip.
  const parts = segments.at(-1) === "" ? segments.slice(0, -1) : segments;
  return (
    uploadsRoute(parts) ?? lastTwo(parts) ?? fault("UNSUPPORTED", "the registry has no such endpoint", { status: 404 })
  );
}

function decodeSegments(path: string): string[] | undefined {
  try {
    return path.split("/").slice(2).map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function uploadsRoute(parts: string[]): Route | Fault | undefined {
  if (parts.at(-2) === "blobs" && parts.at(-1) === "uploads")
    return named(parts.slice(0, -2), (repository) => ({ kind: "uploads", repository }));
  if (parts.at(-3) !== "blobs" || parts.at(-2) !== "uploads") return undefined;
  const upload = parts.at(-1) ?? "";
  return named(parts.slice(0, -3), (repository) =>
    uploadId.test(upload) ? { kind: "upload", repository, upload } : fault("BLOB_UPLOAD_UNKNOWN", "no such upload"),
  );
}

function lastTwo(parts: string[]): Route | Fault | undefined {
  const last = parts.at(-1) ?? "";
  const rest = parts.slice(0, -2);
  switch (parts.at(-2)) {
    case "blobs":
      return named(rest, (repository) => withDigest(last, (digest) => ({ kind: "blob", repository, digest })));
    case "referrers":
      return named(rest, (repository) => withDigest(last, (digest) => ({ kind: "referrers", repository, digest })));
    case "manifests":
      return named(rest, (repository) => manifestRoute(repository, last));
    case "tags":
      return last === "list" ? named(rest, (repository) => ({ kind: "tags", repository })) : undefined;
    default:
      return undefined;
  }
}

function named(parts: string[], make: (repository: string) => Route | Fault): Route | Fault {
  const name = parts.join("/");
  return isRepository(name)
    ? make(name)
    : fault("NAME_INVALID", "a repository's name has lower-case letters, digits, and . _ - / between them");
}

function withDigest(text: string, make: (digest: string) => Route): Route | Fault {
  return isDigest(text) ? make(text) : fault("DIGEST_INVALID", "a digest is sha256: or sha512: and its hex digits");
}

function manifestRoute(repository: string, text: string): Route | Fault {
  const reference = parseReference(text);
  if (reference) return { kind: "manifest", repository, reference };
  return text.includes(":")
    ? fault("DIGEST_INVALID", "a digest is sha256: or sha512: and its hex digits")
    : fault("MANIFEST_INVALID", "a tag has letters, digits, and . _ - after the first, 128 at most");
}
