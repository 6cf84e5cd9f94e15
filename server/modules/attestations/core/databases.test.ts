import { describe, expect, test } from "vitest";
import { databases, readCopyright, readSystem } from "./databases.ts";

function read(path: string, text: string) {
  const database = databases.find((each) => each.path.test(path));
  if (!database) throw new Error(`${path} is of no database`);
  return database.read(text).filter((each) => each !== undefined);
}

describe("each database is read as its tool writes it", () => {
  test("dpkg lists what is installed, and not what was removed and left its settings", () => {
    const text = `Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u9
Description: GNU C Library
 Package: not-one
 Version: 9

Package: gone
Status: deinstall ok config-files
Version: 1

Package: tzdata
Status: install ok installed
Version: 2024a-0
`;
    expect(read("var/lib/dpkg/status", text)).toEqual([
      { type: "deb", name: "libc6", version: "2.36-9+deb12u9", arch: "amd64", licences: [] },
      { type: "deb", name: "tzdata", version: "2024a-0", licences: [] },
    ]);
  });

  test("dpkg of a distroless image has a file for each package, without a status", () => {
    expect(read("var/lib/dpkg/status.d/base", "Package: base-files\nVersion: 12.4\n")).toMatchObject([
      { name: "base-files", version: "12.4" },
    ]);
  });

  test("apk names licence and architecture, wherever `lib` leads", () => {
    const text = "C:Q1\nP:musl\nV:1.2.4-r2\nA:x86_64\nL:MIT\n\nP:busybox\nV:1.36.1-r5\nL:GPL-2.0-only\n";
    for (const path of ["lib/apk/db/installed", "usr/lib/apk/db/installed"])
      expect(read(path, text)).toEqual([
        { type: "apk", name: "musl", version: "1.2.4-r2", arch: "x86_64", licences: ["MIT"] },
        { type: "apk", name: "busybox", version: "1.36.1-r5", licences: ["GPL-2.0-only"] },
      ]);
  });

  test("npm has a scope, and its licence in any of three forms", () => {
    const at = (json: object) => read("app/node_modules/@a/b/package.json", JSON.stringify(json));
    expect(at({ name: "@a/b", version: "1.0.0", license: "ISC" })).toEqual([
      { type: "npm", namespace: "@a", name: "b", version: "1.0.0", licences: ["ISC"] },
    ]);
    expect(at({ name: "c", version: "1.0.0", license: { type: "MIT" } })[0]?.licences).toEqual(["MIT"]);
    expect(at({ name: "c", version: "1.0.0", licenses: [{ type: "MIT" }, "BSD-3-Clause"] })[0]?.licences).toEqual([
      "MIT",
      "BSD-3-Clause",
    ]);
  });

  test("pip: one name whatever its case, and the licence from where it is short", () => {
    const path = "usr/lib/python3/site-packages/Flask_Cors-4.0.dist-info/METADATA";
    const text = `Metadata-Version: 2.1
Name: Flask_Cors
Version: 4.0
License: Permission is hereby granted
        and so on, a whole text
Classifier: License :: OSI Approved :: MIT License
Classifier: Programming Language :: Python

Name: in the description
`;
    expect(read(path, text)).toEqual([{ type: "pypi", name: "flask-cors", version: "4.0", licences: ["MIT License"] }]);
    const expression = "Name: x\nVersion: 1\nLicense-Expression: MIT OR Apache-2.0\n";
    expect(read(path, expression)[0]?.licences).toEqual(["MIT OR Apache-2.0"]);
  });

  test("gem", () => {
    const text = `Gem::Specification.new do |s|
  s.name = "rack".freeze
  s.version = "3.0.8"
  s.licenses = ["MIT".freeze, "Ruby".freeze]
end`;
    expect(read("usr/lib/ruby/gems/3.1.0/specifications/rack-3.0.8.gemspec", text)).toEqual([
      { type: "gem", name: "rack", version: "3.0.8", licences: ["MIT", "Ruby"] },
    ]);
  });

  test("licences of Debian packages are in their copyright files, if those are written for machines", () => {
    const text =
      "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: Expat\n text\n\nFiles: x\nLicense: GPL-2+\n";
    expect(readCopyright(text)).toEqual(["Expat", "GPL-2+"]);
    expect(readCopyright("This package is free.\nLicense: whatever\n")).toEqual([]);
  });

  test("the system calls itself by name and version", () => {
    expect(readSystem('NAME="Debian"\nVERSION_ID="12"\nID=debian\n')).toEqual({ id: "debian", version: "12" });
    expect(readSystem("ID=$(evil)\n")).toBeUndefined();
  });
});

test.each([
  ["app/node_modules/a/lib/package.json", "inside of a package"],
  ["app/package.json", "the application itself"],
  ["app/node_modules/.bin/package.json", "no package"],
])("%s is not read: %s", (path) => {
  expect(databases.some((each) => each.path.test(path))).toBe(false);
});

test.each([
  "",
  "{",
  "null",
  "[]",
  '{"name":1}',
  "\u0000\u0001",
  "Name\nVersion",
  `{"name":"${"x".repeat(1000)}","version":"1"}`,
])("nothing comes of the text %j", (text) => {
  for (const { read: reader } of databases) expect(reader(text).filter((each) => each !== undefined)).toEqual([]);
});
