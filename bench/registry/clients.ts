/** Three ways to push and pull. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { request } from "undici";
import type { Material } from "./material.ts";
import { manyHeads, mountImage } from "./moments.ts";
import { must } from "./must.ts";
import { type Registry, repository } from "./registries.ts";

/** `push`, `pull` and `later` are timed; the others make the next one cold. */
export interface RegistryUser {
  /** What its figures' names begin with. */
  prefix: string;
  beforePush?(registry: Registry): Promise<void>;
  push(registry: Registry): Promise<void>;
  beforePull?(registry: Registry): Promise<void>;
  pull(registry: Registry): Promise<void>;
  /** Timed too, after the pull, by their names: what clients do with an image that is there. */
  later?: Record<string, (registry: Registry) => Promise<void>>;
  afterPull?(registry: Registry): Promise<void>;
}

export function skopeoClient({ layout }: Material, folder: string): RegistryUser {
  const pulled = join(folder, "pulled");
  const place = ({ host }: Registry) => `docker://${host}/${repository}:latest`;
  const flags = (registry: Registry, end: "src" | "dest") => [
    `--${end}-tls-verify=false`,
    ...(registry.token ? [`--${end}-creds`, `bench:${registry.token}`] : []),
  ];
  const push = (registry: Registry) =>
    must(["skopeo", "copy", "--quiet", ...flags(registry, "dest"), layout, place(registry)]);
  return {
    prefix: "",
    push,
    pull: (registry) =>
      must(["skopeo", "copy", "--quiet", ...flags(registry, "src"), place(registry), `dir:${pulled}`]),
    later: { push_again: push, mount: mountImage, heads: manyHeads },
    afterPull: () => rm(pulled, { recursive: true, force: true }),
  };
}

/** docker with a configuration of its own, logged in where that is needed. */
export async function dockerClient({ image }: Material, folder: string, registries: Registry[]): Promise<RegistryUser> {
  const config = ["--config", join(folder, "docker")];
  const docker = (...args: string[]) => must(["docker", ...config, ...args]);
  const place = ({ host }: Registry) => `${host}/${repository}:latest`;
  for (const { host, token } of registries)
    if (token) await must(["docker", ...config, "login", host, "-u", "bench", "--password-stdin"], { input: token });
  return {
    prefix: "docker_",
    async beforePush(registry) {
      await docker("tag", image, place(registry));
    },
    push: (registry) => docker("push", "--quiet", place(registry)),
    // Without any name the layers go too, and have to come back.
    beforePull: (registry) => docker("rmi", "--force", image, place(registry)),
    pull: (registry) => docker("pull", "--quiet", place(registry)),
    async afterPull(registry) {
      await docker("tag", place(registry), image);
      await docker("rmi", place(registry));
    },
  };
}

/** One blob over a connection of its own; nothing is compressed, and nothing waits for a client's hash. */
export function curlClient({ blob, blobDigest }: Material, folder: string): RegistryUser {
  const curl = ({ token }: Registry, ...args: string[]) =>
    must(["curl", "--silent", "--show-error", "--fail", ...(token ? ["--user", `bench:${token}`] : []), ...args]);
  const base = ({ host }: Registry) => `http://${host}/v2/${repository}/blobs`;
  return {
    prefix: "curl_",
    async push(registry) {
      const begun = await request(`${base(registry)}/uploads/`, { method: "POST", headers: basicOf(registry) });
      await begun.body.dump();
      const place = new URL(String(begun.headers["location"]), base(registry));
      place.searchParams.set("digest", blobDigest);
      await curl(registry, "--header", "content-type: application/octet-stream", "--upload-file", blob, place.href);
    },
    pull: (registry) => curl(registry, "--output", join(folder, "blob.pulled"), `${base(registry)}/${blobDigest}`),
    async afterPull(registry) {
      const headers = basicOf(registry);
      const gone = await request(`${base(registry)}/${blobDigest}`, { method: "DELETE", headers });
      await gone.body.dump();
    },
  };
}

const basicOf = ({ token }: Registry): Record<string, string> =>
  token ? { authorization: `Basic ${Buffer.from(`bench:${token}`).toString("base64")}` } : {};
