import { expect } from "vitest";

/** As somebody may who may delete from the registry: the list of what is about the image goes, and the signature. */
export async function removeSignature(
  { url, token }: { url: string; token: string },
  service: string,
  digest: string,
): Promise<void> {
  const headers = { authorization: `Basic ${Buffer.from(`lead:${token}`).toString("base64")}` };
  const manifests = `${url}/v2/${service}/manifests/`;
  for (const end of ["", ".sig"]) {
    const found = await fetch(`${manifests}${digest.replace(":", "-")}${end}`, { method: "HEAD", headers });
    const named = found.headers.get("docker-content-digest") ?? "";
    expect((await fetch(manifests + named, { method: "DELETE", headers })).status).toBe(202);
  }
}
