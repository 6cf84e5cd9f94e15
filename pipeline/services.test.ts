import fc from "fast-check";
import { expect, test } from "vitest";
import { concerns, readServices, seenFrom, serviceFolders } from "./services.ts";

const read = (folder: string, name: string, more = "") => ({ folder, text: `service: ${name}\nport: 80\n${more}` });
const one = (folder: string, name: string, more = "") => {
  const [service] = readServices([read(folder, name, more)]);
  if (!service) throw new Error("no service");
  return service;
};

test("services stand in folders; one at the root is the only one; hidden and foreign folders hold none", () => {
  const paths = [
    "b/towline.yml",
    "a/x/towline.yml",
    ".cache/y/towline.yml",
    "a/node_modules/z/towline.yml",
    "not-towline.yml",
  ];
  expect(serviceFolders(paths)).toEqual(["a/x", "b"]);
  expect(serviceFolders([...paths, "towline.yml"])).toEqual([""]);
});

test("a service is concerned by its folder and by what it shares: a folder, a file or a glob", () => {
  const service = one("services/orders", "orders", 'shared: [libs/money/, tools/run.sh, "proto/**/*.proto"]\n');
  const isConcerned = (path: string) => concerns(service, [path]);
  for (const path of ["services/orders/a", "libs/money/a/b", "tools/run.sh", "proto/a/b.proto"])
    expect([path, isConcerned(path)]).toEqual([path, true]);
  for (const path of ["services/orders2/a", "libs/moneybags/a", "tools/run.sh.bak", "proto/a/b.md", "README.md"])
    expect([path, isConcerned(path)]).toEqual([path, false]);
});

test("a manifest with a fault is always concerned, and named by its folder", () => {
  const [broken] = readServices([{ folder: "services/cart", text: "servce: x\n" }]);
  expect(broken).toMatchObject({
    name: "cart",
    manifest: undefined,
    faults: [{ place: { file: "services/cart/towline.yml" } }, {}],
  });
  expect(broken && concerns(broken, [])).toBe(true);
});

test("more paths than can be compared count as changed", () => {
  const service = one("a", "a", 'shared: ["**/x*y*z*"]\n');
  const paths = Array.from({ length: 100 }, (_, index) => `b/${"x".repeat(50)}${index}`);
  expect(concerns(service, paths)).toBe(false);
  expect(concerns(service, paths, { left: 50 })).toBe(true);
});

test("a shared path that leads out of the repository, or is no glob, is refused with its place", () => {
  for (const path of ["../other", "/etc", "libs/[a", "a\\\\b"]) {
    const [service] = readServices([read("a", "a", `shared: ["${path}"]\n`)]);
    expect([path, service?.faults[0]?.place]).toMatchObject([path, { file: "a/towline.yml", line: 3 }]);
  }
});

const path = fc.array(fc.constantFrom("a", "b", "ab"), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));

test("every changed path is seen from a folder under one name of its own", () => {
  fc.assert(
    fc.property(path, fc.uniqueArray(path), (folder, paths) => {
      const seen = seenFrom(folder, paths);
      expect(new Set(seen).size).toBe(paths.length);
      expect(seen.filter((each) => !each.startsWith("/"))).toHaveLength(
        paths.filter((each) => each.startsWith(`${folder}/`)).length,
      );
    }),
  );
});

test("no two sound services have one name or stand in each other, whatever there is", () => {
  const manifests = fc.uniqueArray(fc.record({ folder: path, name: fc.constantFrom("x", "y", "z") }), {
    selector: ({ folder }) => folder,
  });
  fc.assert(
    fc.property(manifests, (given) => {
      const sound = readServices(given.map(({ folder, name }) => read(folder, name))).filter(
        ({ faults }) => faults.length === 0,
      );
      expect(new Set(sound.map(({ name }) => name)).size).toBe(sound.length);
      for (const { folder } of sound) expect(sound.some((other) => folder.startsWith(`${other.folder}/`))).toBe(false);
    }),
  );
});
