import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { completed, type Lockfile, missingEntries, platformOf } from "./complete.ts";

test("a package name tells its platform", () => {
  expect(platformOf("@oxlint/binding-linux-arm64-musl")).toEqual({ os: ["linux"], cpu: ["arm64"], libc: ["musl"] });
  expect(platformOf("@oxlint/binding-linux-arm-gnueabihf")).toEqual({ os: ["linux"], cpu: ["arm"], libc: ["glibc"] });
  expect(platformOf("@oxlint-tsgolint/darwin-x64")).toEqual({ os: ["darwin"], cpu: ["x64"] });
});

test("an optional package that the lockfile does not name is added, in order", () => {
  const lock: Lockfile = {
    packages: {
      "node_modules/a": { version: "1.0.0", dev: true, optionalDependencies: { "a-win32-x64": "^1.0.0" } },
      "node_modules/b": { version: "1.0.0" },
    },
  };
  const { packages } = completed(lock);
  expect(Object.keys(packages)).toEqual(["node_modules/a", "node_modules/a-win32-x64", "node_modules/b"]);
  expect(packages["node_modules/a-win32-x64"]).toEqual({
    version: "1.0.0",
    os: ["win32"],
    cpu: ["x64"],
    dev: true,
    optional: true,
  });
});

test("one that is there in another version is added below the package that wants this one", () => {
  const wants = (version: string) => ({ version, optionalDependencies: { "a-win32-x64": version } });
  const packages = {
    "node_modules/a": wants("2.0.0"),
    "node_modules/old": wants("1.0.0"),
    "node_modules/a-win32-x64": { version: "2.0.0" },
  };
  expect(missingEntries({ packages })).toMatchObject([
    ["node_modules/old/node_modules/a-win32-x64", { version: "1.0.0" }],
  ]);
});

test("package-lock.json is complete, so that npm ci takes it (else: node tools/lockfile/main.ts)", () => {
  const lock = JSON.parse(readFileSync(new URL("../../package-lock.json", import.meta.url), "utf8")) as Lockfile;
  expect(missingEntries(lock).map(([name]) => name)).toEqual([]);
});
