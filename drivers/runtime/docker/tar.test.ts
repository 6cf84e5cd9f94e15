import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { tarOf } from "./tar.ts";

test("an archive is what tar reads", () => {
  const archive = tarOf([
    { path: "/run/secrets/key", content: "secret", mode: 0o440, uid: 1000 },
    { path: "/etc/empty", content: "" },
    { path: "/data/block", content: new Uint8Array(512) },
  ]);
  const list = execFileSync("tar", ["-tvf", "-", "--numeric-owner"], { input: archive }).toString();
  expect(list).toMatch(/-r--r----- 1000\/1000 +6 .* run\/secrets\/key/);
  expect(list).toMatch(/-r-------- 0\/0 +0 .* etc\/empty/);
  expect(list).toMatch(/-r-------- 0\/0 +512 .* data\/block/);
  expect(execFileSync("tar", ["-xOf", "-", "run/secrets/key"], { input: archive }).toString()).toBe("secret");
});

test("a path that leads elsewhere is refused", () => {
  for (const path of ["run/key", "/", "/a/../b", "/a//b", "/a\0b", `/${"a".repeat(100)}`])
    expect(() => tarOf([{ path, content: "" }])).toThrow(/not a path/);
});
