import { expect, test } from "vitest";
import { chooseBuilder, type DockerClient } from "./image-builder.ts";

const client = (command: string, version: string | undefined, hasBuildx = false): DockerClient => ({
  command,
  version,
  hasBuildx,
});
const old = client("/usr/bin/docker", "20.10.24");
const bare = client("/usr/local/bin/docker", "28.2.2");
const whole = client("/opt/docker", "28.2.2", true);

test("BuildKit is used by the first client that can: an old one by itself, a new one with buildx", () => {
  expect(chooseBuilder([old], undefined)).toMatchObject({ name: "BuildKit", command: "/usr/bin/docker" });
  expect(chooseBuilder([old], undefined).args).toEqual(["build", "--progress", "plain"]);
  expect(chooseBuilder([bare, old, whole], undefined)).toMatchObject({ name: "BuildKit", command: "/usr/bin/docker" });
  expect(chooseBuilder([bare, whole], "1")).toMatchObject({ name: "BuildKit", command: "/opt/docker" });
  expect(chooseBuilder([whole], undefined).args.slice(0, 2)).toEqual(["buildx", "build"]);
});

test("where no client can, or DOCKER_BUILDKIT=0 asks for it, the first one builds the classic way", () => {
  const classic = { name: "classic", command: "/usr/local/bin/docker", env: { DOCKER_BUILDKIT: "0" } };
  expect(chooseBuilder([bare], undefined)).toMatchObject(classic);
  expect(chooseBuilder([bare, old], "0")).toMatchObject(classic);
  expect(chooseBuilder([client("/usr/local/bin/docker", undefined)], undefined)).toMatchObject(classic);
  expect(chooseBuilder([], undefined)).toMatchObject({ name: "classic", command: "docker" });
});
