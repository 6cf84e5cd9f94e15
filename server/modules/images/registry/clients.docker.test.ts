/** The real clients against the registry: docker always, skopeo and containerd where this machine has them. */
import { execFile } from "node:child_process";
import { constants } from "node:fs";
import { access, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openTestRegistry, type OpenTestRegistry, userToken } from "#testing/registry.ts";

const run = promisify(execFile);
const name = `towline-test-${process.pid}`;

let opened: OpenTestRegistry;
let folder: string;
let developer: string;

/** docker with a configuration folder of its own, so that no login of the machine counts. */
const docker = async (...args: string[]) => (await run("docker", ["--config", folder, ...args])).stdout.trim();
const image = (repository: string, tag: string) => `${opened.registry.host}/${repository}:${tag}`;

async function failure(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: Error & { stderr?: string }) => thrown,
  );
  return error?.stderr ?? "";
}

/** Builds an image from nothing with two layers. */
async function build(reference: string, content: string): Promise<void> {
  const context = await mkdtemp(join(folder, "build-"));
  await writeFile(join(context, "one"), `${content} one`);
  await writeFile(join(context, "two"), `${content} two`);
  await writeFile(
    join(context, "Dockerfile"),
    `FROM scratch\nLABEL towline.test=${name}\nCOPY one /one\nCOPY two /two\n`,
  );
  await docker("build", "--quiet", "--tag", reference, context);
}

async function login(secret: string): Promise<void> {
  const child = run("docker", [
    "--config",
    folder,
    "login",
    opened.registry.host,
    "--username",
    "x",
    "--password-stdin",
  ]);
  child.child.stdin?.end(secret);
  await child;
}

beforeAll(async () => {
  opened = await openTestRegistry();
  folder = await mkdtemp(join(tmpdir(), "towline-docker-"));
  developer = await userToken(opened.registry, "dev", "developer");
});

afterAll(async () => {
  const images = (await docker("images", "--quiet", "--filter", `label=towline.test=${name}`))
    .split("\n")
    .filter(Boolean);
  if (images.length > 0) await docker("rmi", "--force", ...new Set(images));
  await rm(folder, { recursive: true, force: true });
  await opened?.[Symbol.asyncDispose]();
});

describe("docker", () => {
  test("logs in, pushes, pulls by tag and by digest, and mounts layers into another repository", async () => {
    await login(developer);
    const reference = image("shop/catalog", "v1");
    await build(reference, "catalog");
    const pushed = await docker("push", reference);
    const digest = /digest: (sha256:[0-9a-f]{64})/.exec(pushed)?.[1] ?? "";
    expect(await opened.registry.images.has("shop/catalog", digest)).toBe(true);
    expect(await docker("push", reference)).toContain("Layer already exists");

    const other = image("shop/orders", "v1");
    await docker("tag", reference, other);
    expect(await docker("push", other)).toContain("Mounted from shop/catalog");

    await docker("rmi", "--force", reference, other);
    expect(await docker("pull", `${opened.registry.host}/shop/orders@${digest}`)).toContain("Downloaded newer image");
    expect(await docker("pull", reference)).toContain(digest);
    const size = await docker("image", "inspect", "--format", "{{len .RootFS.Layers}}", reference);
    expect(size).toBe("2");
  });

  test("is told when it may not, and when the login is wrong", async () => {
    const reference = image("shop/denied", "v1");
    await build(reference, "denied");
    expect(await failure(login("tw_wrong"))).toContain("unauthorized");
    await login(await userToken(opened.registry, "looker", "viewer"));
    expect(await failure(docker("push", reference))).toMatch(/denied: you may not push shop\/denied/);
    await docker("logout", opened.registry.host);
    expect(await failure(docker("push", reference))).toMatch(/unauthorized|no basic auth/);
  });

  test("is told at once when the disk is full", async () => {
    await using full = await openTestRegistry({ config: { diskFloor: Number.MAX_SAFE_INTEGER } });
    const child = run("docker", ["--config", folder, "login", full.registry.host, "-u", "x", "--password-stdin"]);
    child.child.stdin?.end(await userToken(full.registry, "dev", "developer"));
    await child;
    const reference = `${full.registry.host}/shop/full:v1`;
    await build(reference, "full");
    expect(await failure(docker("push", reference))).toContain("denied: disk full");
  });
});

describe("skopeo", () => {
  test("copies in, lists, inspects and copies out", async (context) => {
    const installed = await run("skopeo", ["--version"]).then(
      () => true,
      () => false,
    );
    if (!installed) {
      context.skip("skopeo is not installed here");
      return;
    }
    const archive = join(folder, "image.tar");
    const local = image("local/skopeo", "v1");
    await build(local, "skopeo");
    await docker("save", "--output", archive, local);
    const target = `docker://${image("shop/skopeo", "v1")}`;
    const credentials = `x:${developer}`;
    await run("skopeo", [
      "copy",
      "--dest-tls-verify=false",
      "--dest-creds",
      credentials,
      `docker-archive:${archive}`,
      target,
    ]);
    const listed = await run("skopeo", [
      "list-tags",
      "--tls-verify=false",
      "--creds",
      credentials,
      `docker://${opened.registry.host}/shop/skopeo`,
    ]);
    expect((JSON.parse(listed.stdout) as { Tags: string[] }).Tags).toEqual(["v1"]);
    await run("skopeo", [
      "copy",
      "--src-tls-verify=false",
      "--src-creds",
      credentials,
      target,
      `dir:${join(folder, "out")}`,
    ]);
    expect(await failure(run("skopeo", ["delete", "--tls-verify=false", "--creds", credentials, target]))).toContain(
      "you may not delete shop/skopeo",
    );
    const lead = await userToken(opened.registry, "skopeo-lead", "lead");
    await run("skopeo", ["delete", "--tls-verify=false", "--creds", `x:${lead}`, target]);
    expect(await failure(run("skopeo", ["inspect", "--tls-verify=false", "--creds", credentials, target]))).toMatch(
      /manifest unknown|no such manifest/,
    );
  });
});

/** Where Docker's own containerd and a system's listen. */
const containerds = ["/var/run/docker/containerd/containerd.sock", "/run/containerd/containerd.sock"];

/** `ctr` in a namespace of its own of a containerd that runs here; what is missing otherwise. */
async function openContainerd(): Promise<((...args: string[]) => Promise<string>) | string> {
  const reachable = await Promise.all(
    containerds.map((socket) =>
      access(socket, constants.R_OK | constants.W_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  const address = containerds[reachable.indexOf(true)];
  if (address === undefined) return `no containerd can be reached at ${containerds.join(" or ")}`;
  const installed = await run("ctr", ["--version"]).then(
    () => true,
    () => false,
  );
  if (!installed) return "ctr is not installed here";
  return async (...args) => (await run("ctr", ["--address", address, "--namespace", name, ...args])).stdout.trim();
}

describe("containerd", () => {
  test("pushes, pulls and is told when it may not", async (context) => {
    const ctr = await openContainerd();
    if (typeof ctr === "string") {
      context.skip(ctr);
      return;
    }
    const archive = join(folder, "containerd.tar");
    const reference = image("shop/containerd", "v1");
    await build(reference, "containerd");
    await docker("save", "--output", archive, reference);
    await using cleaning = new AsyncDisposableStack();
    cleaning.defer(async () => {
      await ctr("namespaces", "remove", name);
    });
    cleaning.defer(async () => {
      await ctr("images", "remove", "--sync", reference);
    });
    await ctr("images", "import", "--no-unpack", archive);
    const as = (secret: string) => ["--plain-http", "--user", `x:${secret}`];
    const viewer = await userToken(opened.registry, "ctr-looker", "viewer");
    expect(await failure(ctr("images", "push", ...as(viewer), reference))).toMatch(/insufficient_scope|403|401/);
    await ctr("images", "push", ...as(developer), reference);
    // All is there: it has nothing to bring.
    await ctr("images", "push", ...as(developer), reference);
    const [listed] = (await ctr("images", "list", `name==${reference}`)).split("\n").slice(1);
    const digest = /sha256:[0-9a-f]{64}/.exec(listed ?? "")?.[0] ?? "";
    expect(await opened.registry.images.has("shop/containerd", digest)).toBe(true);

    await ctr("images", "remove", "--sync", reference);
    expect(await ctr("content", "list", "--quiet")).toBe("");
    expect(await failure(ctr("images", "pull", ...as("tw_wrong"), reference))).toMatch(/401|unauthorized/i);
    await ctr("images", "pull", ...as(viewer), "--snapshotter", "native", reference);
    expect(await ctr("content", "list", "--quiet")).toContain(digest);
  });
});
