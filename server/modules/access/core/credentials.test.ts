import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseAuthorization } from "./credentials.ts";

const basic = (name: string, password: string) => `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;

describe("an authorization header", () => {
  test("gives the token of Bearer, and the password of Basic whatever the name", () => {
    expect(parseAuthorization("Bearer tw_abc")).toEqual({ token: "tw_abc" });
    expect(parseAuthorization("bearer  tw_abc ")).toEqual({ token: "tw_abc" });
    expect(parseAuthorization(basic("anything", "tw_abc"))).toEqual({ token: "tw_abc" });
    expect(parseAuthorization(basic("", "with:colon"))).toEqual({ token: "with:colon" });
  });

  test("of another form gives nothing", () => {
    expect(
      ["", "Bearer", "Digest a=b", `Basic ${Buffer.from("no colon").toString("base64")}`].map(parseAuthorization),
    ).toEqual([undefined, undefined, undefined, undefined]);
  });

  test("never makes the parser throw or hang", () => {
    fc.assert(fc.property(fc.string({ maxLength: 2000 }), (header) => void parseAuthorization(header)));
  });
});
