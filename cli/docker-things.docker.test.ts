import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { baseImage } from "../tools/base-images/catalogue.ts";
import { removeDockerThings } from "./docker-things.ts";

const run = promisify(execFile);
const docker = async (...words: string[]) => (await run("docker", words)).stdout.trim();

test("a network on which a stranger is stays, and who it is is told; once it is gone the network goes", async () => {
  const label = `towline.test=${randomBytes(4).toString("hex")}`;
  const network = await docker("network", "create", "--label", label, `stranger-${randomBytes(4).toString("hex")}`);
  const image = baseImage("debian");
  const stranger = await docker("run", "--detach", "--network", network, image, "sleep", "600");
  try {
    const name = (await docker("inspect", "--format", "{{.Name}}", stranger)).slice(1);
    await expect(removeDockerThings(label, 1)).rejects.toMatchObject({
      refusal: { refused: "host.network-in-use", message: expect.stringContaining(name) },
    });
  } finally {
    await docker("rm", "--force", stranger);
  }
  await removeDockerThings(label);
  expect(await docker("network", "ls", "--quiet", "--filter", `label=${label}`)).toBe("");
});
