import { describe, expect, test } from "vitest";
import type { InstanceSpec } from "../contract.ts";
import { createNames } from "./names.ts";
import { bodyOf, fingerprint } from "./spec.ts";

const names = createNames("main");
const spec: InstanceSpec = {
  name: "orders-production-r12-1",
  environment: "production",
  kind: "service",
  image: `127.0.0.1:5000/orders@sha256:${"a".repeat(64)}`,
  command: ["node", "main.js"],
  env: { PORT: "8080" },
  files: [{ path: "/run/secrets/key", content: "k" }],
  labels: { service: "orders" },
  cpu: 0.5,
  memory: 1_000,
  aliases: ["db"],
  volumes: [{ name: "data", path: "/data" }],
};

describe("what the engine is told", () => {
  test("is the whole specification, with limits and few capabilities", () => {
    expect(bodyOf({ names, spec, kind: "service", address: "172.18.0.10" })).toMatchInlineSnapshot(`
      {
        "Cmd": [
          "node",
          "main.js",
        ],
        "Env": [
          "PORT=8080",
        ],
        "HostConfig": {
          "CapAdd": [
            "CHOWN",
            "DAC_OVERRIDE",
            "FOWNER",
            "KILL",
            "NET_BIND_SERVICE",
            "SETGID",
            "SETUID",
          ],
          "CapDrop": [
            "ALL",
          ],
          "LogConfig": {
            "Config": {
              "max-file": "3",
              "max-size": "10m",
            },
            "Type": "json-file",
          },
          "Memory": 1000,
          "MemorySwap": 1000,
          "Mounts": [
            {
              "Source": "towline-main.production.data",
              "Target": "/data",
              "Type": "volume",
              "VolumeOptions": {
                "Labels": {
                  "towline.environment": "production",
                  "towline.install": "main",
                },
              },
            },
          ],
          "NanoCpus": 500000000,
          "NetworkMode": "towline-main-production",
          "PidsLimit": 1024,
          "RestartPolicy": {
            "Name": "unless-stopped",
          },
          "SecurityOpt": [
            "no-new-privileges",
          ],
        },
        "Image": "127.0.0.1:5000/orders@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "Labels": {
          "towline.address": "172.18.0.10",
          "towline.environment": "production",
          "towline.install": "main",
          "towline.kind": "service",
          "towline.label.service": "orders",
          "towline.name": "orders-production-r12-1",
          "towline.spec": "4ca2bd0fa76ea1c191711efcc5d0eba1",
        },
        "NetworkingConfig": {
          "EndpointsConfig": {
            "towline-main-production": {
              "Aliases": [
                "db",
              ],
              "IPAMConfig": {
                "IPv4Address": "172.18.0.10",
              },
            },
          },
        },
      }
    `);
  });

  test("leaves a backing service the capabilities that images like postgres want, and nothing more", () => {
    const { HostConfig } = bodyOf({ names, spec, kind: "backing" }) as { HostConfig: Record<string, unknown> };
    expect(HostConfig["CapDrop"]).toBeUndefined();
    expect(HostConfig["SecurityOpt"]).toEqual(["no-new-privileges"]);
    expect(HostConfig["Privileged"]).toBeUndefined();
  });

  test("restarts no job", () => {
    const { HostConfig } = bodyOf({ names, spec, kind: "job" }) as { HostConfig: Record<string, unknown> };
    expect(HostConfig["RestartPolicy"]).toEqual({ Name: "no" });
  });
});

describe("the fingerprint of a specification", () => {
  test("is the same for the same in another order, and another for any change", () => {
    const again: InstanceSpec = { ...spec, labels: { ...spec.labels }, env: { ...spec.env } };
    expect(fingerprint(again)).toBe(fingerprint(spec));
    const { name, ...rest } = spec;
    expect(fingerprint({ ...rest, name })).toBe(fingerprint(spec));
    expect(fingerprint({ ...spec, env: { PORT: "8081" } })).not.toBe(fingerprint(spec));
    expect(fingerprint({ ...spec, command: ["main.js", "node"] })).not.toBe(fingerprint(spec));
    const file = { path: "/run/secrets/key", content: "other" };
    expect(fingerprint({ ...spec, files: [file] })).not.toBe(fingerprint(spec));
  });
});

test("a name that could be read as more than a name is refused", () => {
  for (const name of ["", "A", "a b", "../a", "-a", "a/b", "a\n", "a".repeat(101)])
    expect(() => names.container(name)).toThrow(/not a name/);
  expect(() => createNames("a.b")).toThrow(/not a name/);
});
