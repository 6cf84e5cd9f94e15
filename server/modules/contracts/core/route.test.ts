import fc from "fast-check";
import { expect, test } from "vitest";
import { findRoute, isName, segmentsOf } from "./route.ts";

const rows = [{ path: "/pacts/latest" }, { path: "/pacts/:name" }, { path: "/pacticipants/:name/versions/:number" }];
const find = (path: string) => {
  const found = findRoute(rows, segmentsOf(path) ?? []);
  return found && { path: found.row.path, params: found.params };
};

test("each segment is decoded after the split; a plus is a plus, an empty segment nothing", () => {
  expect(find("/pacticipants/web%20app/versions/1.0.0+abc")).toEqual({
    ...{ path: "/pacticipants/:name/versions/:number", params: { name: "web app", number: "1.0.0+abc" } },
  });
  expect(find("//pacticipants/a%2Fb/versions/1%2B2/")?.params).toEqual({ name: "a/b", number: "1+2" });
});

test("a word goes before a parameter", () => {
  expect(find("/pacts/latest")?.path).toBe("/pacts/latest");
  expect(find("/pacts/other")?.params).toEqual({ name: "other" });
  expect(find("/pacts/other/more")).toBeUndefined();
});

test("what is no text is no path", () => {
  for (const path of ["/%zz", "/%ff", "/a%00", "/a%0a", `/${"a".repeat(2001)}`, "/%20"])
    expect(segmentsOf(path)).toBeUndefined();
  fc.assert(fc.property(fc.string(), (any) => void segmentsOf(any)));
  fc.assert(
    fc.property(
      fc.array(fc.string({ minLength: 1, maxLength: 50, unit: "grapheme" }).filter(isName), { maxLength: 5 }),
      (names) => {
        expect(segmentsOf(names.map(encodeURIComponent).join("/"))).toEqual(names);
      },
    ),
  );
});
