import fc from "fast-check";
import { expect, test } from "vitest";
import { disposition, servedType } from "./served-artifact.ts";

test("what a browser would run is served as bytes", () => {
  for (const type of ["text/html", "image/svg+xml", "text/plainx", "application/xhtml+xml", "text/css"])
    expect(servedType(type)).toBe("application/octet-stream");
  for (const type of ["text/plain", "text/plain; charset=utf-8", "image/png"]) expect(servedType(type)).toBe(type);
});

test("a header names the file whatever it is called", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (name) => {
      expect(disposition(name)).toMatch(
        /^attachment; filename="[A-Za-z0-9._ -]*"; filename\*=UTF-8''[A-Za-z0-9._~!%-]*$/,
      );
    }),
  );
});
