/**
 * The path of an image in its registry: `127.0.0.1:7300/orders@sha256:…` and `orders:main` are both `orders`. The host goes
 * because the registry may be reached elsewhere tomorrow; tag and digest, because the release holds the digest.
 */
export function imageRepository(reference: string): string {
  const [name = ""] = reference.split("@");
  const [first = "", ...rest] = name.split("/");
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  return (isHost ? rest.join("/") : name).replace(/:[^/]*$/, "");
}
