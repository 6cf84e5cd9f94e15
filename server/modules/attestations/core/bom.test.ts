import { Spec } from "@cyclonedx/cyclonedx-library";
import { JsonStrictValidator } from "@cyclonedx/cyclonedx-library/Validation";
import { expect, test } from "vitest";
import { purlOf, readBom, renderBom } from "./bom.ts";
import { packageChanges } from "./changes.ts";
import { licenceChoices } from "./licence.ts";
import type { Package } from "./packages.ts";

const facts = {
  ...{ image: "shop/orders", digest: `sha256:${"a".repeat(64)}`, service: "orders", release: 7 },
  ...{ at: "2026-01-05T12:00:00.000Z", serial: "0123456789abcdef0123456789abcdef", by: "0.1.0" },
};
const system = { id: "debian", version: "12" };
const packages: Package[] = [
  { type: "deb", name: "libstdc++6", version: "1:12.2.0-14", arch: "amd64", licences: ["GPL-3+"] },
  { type: "npm", namespace: "@scope", name: "left", version: "1.0.0", licences: ["mit"] },
  { type: "npm", name: "left", version: "1.0.0", licences: ["(MIT OR Apache-2.0)"] },
  { type: "npm", name: "left", version: "1.0.0", licences: [] },
  { type: "pypi", name: "a b\u0000%/?#", version: "1 2", licences: ["Some words", "BSD-3-Clause"] },
  { type: "gem", name: "rack", version: "3", licences: [] },
];

test("the document is valid CycloneDX 1.6 by its published schema, hostile names included", async () => {
  const text = renderBom(packages, system, facts);
  expect(await new JsonStrictValidator(Spec.Version.v1dot6).validate(text)).toBeNull();
  const broken = text.replace('"library"', '"librarian"');
  expect(await new JsonStrictValidator(Spec.Version.v1dot6).validate(broken)).not.toBeNull();
});

test("what was written is read again, every package once", () => {
  const read = readBom(JSON.parse(renderBom(packages, system, facts)));
  expect(read).toHaveLength(5);
  expect(read).toContainEqual({
    ...{ type: "deb", name: "libstdc++6", version: "1:12.2.0-14", licences: ["GPL-3+"] },
    purl: "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14?arch=amd64&distro=debian-12",
  });
  expect(read?.find(({ name }) => name === "@scope/left")).toMatchObject({
    licences: ["MIT"],
    purl: "pkg:npm/%40scope/left@1.0.0",
  });
  expect(readBom({ bomFormat: "other" })).toBeUndefined();
});

test("the same image gives the same document", () => {
  expect(renderBom(packages.toReversed(), system, { ...facts })).toBe(renderBom(packages.toReversed(), system, facts));
});

test("packages of a system that does not say its name are Debian's or Alpine's by their kind", () => {
  expect(purlOf({ type: "apk", name: "musl", version: "1", licences: [] }, undefined)).toBe("pkg:apk/alpine/musl@1");
});

test.each([
  [["MIT OR Apache-2.0"], [{ expression: "MIT OR Apache-2.0" }]],
  [["GPL-2.0-only WITH Classpath-exception-2.0"], [{ expression: "GPL-2.0-only WITH Classpath-exception-2.0" }]],
  [["MIT AND"], [{ license: { name: "MIT AND" } }]],
  [["MIT AND (BSD-2-Clause"], [{ license: { name: "MIT AND (BSD-2-Clause" } }]],
  [["Public OR Domain"], [{ license: { name: "Public OR Domain" } }]],
  [["apache-2.0"], [{ license: { id: "Apache-2.0" } }]],
  [
    ["MIT", "MIT OR ISC"],
    [{ license: { id: "MIT" } }, { license: { name: "MIT OR ISC" } }],
  ],
])("licences %j", (licences, choices) => {
  expect(licenceChoices(licences)).toEqual(choices);
});

test("changes between two images: a package that is there once changes, one of several versions comes and goes", () => {
  const of = (name: string, version: string) => ({ type: "npm", name, version, licences: [], purl: "" });
  const before = [of("a", "1"), of("b", "1"), of("b", "2"), of("gone", "1"), of("same", "1")];
  const now = [of("a", "2"), of("b", "2"), of("b", "3"), of("b", "4"), of("new", "1"), of("same", "1")];
  expect(packageChanges(before, now)).toEqual({
    changed: [{ type: "npm", name: "a", from: "1", to: "2" }],
    removed: [
      { type: "npm", name: "b", version: "1" },
      { type: "npm", name: "gone", version: "1" },
    ],
    added: [
      { type: "npm", name: "b", version: "3" },
      { type: "npm", name: "b", version: "4" },
      { type: "npm", name: "new", version: "1" },
    ],
  });
});
