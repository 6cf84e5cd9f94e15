import { describe, expect, test } from "vitest";
import { checkPart } from "./part.ts";
import { heldRange, uploadRange } from "./range.ts";

describe("a part of an upload", () => {
  test.each([
    ["0-1023", { first: 0, last: 1023 }],
    ["bytes 0-1023/*", { first: 0, last: 1023 }],
    ["bytes=5-5/10", { first: 5, last: 5 }],
    ["5-4", undefined],
    ["-5", undefined],
    ["a-b", undefined],
    ["", undefined],
  ])("%j is read", (header, range) => {
    expect(uploadRange(header)).toEqual(range);
  });

  test("goes where the upload stands, and says its length when it knows it", () => {
    const at = (held: number) => ({ location: "/v2/a/blobs/uploads/1", held });
    expect(checkPart({ "content-range": "5-9", "content-length": "5" }, at(5))).toBe(5);
    expect(checkPart({ "content-range": "5-9" }, at(5))).toBe(5);
    expect(checkPart({ "content-length": "7" }, at(5))).toBe(7);
    expect(checkPart({}, at(5))).toBeUndefined();
    expect(checkPart({ "content-range": "5-9" }, at(4))).toMatchObject({
      status: 416,
      headers: { range: "0-3", location: at(4).location },
    });
    expect(checkPart({ "content-range": "5-9", "content-length": "4" }, at(5))).toMatchObject({
      fault: "SIZE_INVALID",
    });
  });

  test("leaves the upload saying what it holds", () => {
    expect([heldRange(0), heldRange(1), heldRange(1024)]).toEqual(["0-0", "0-0", "0-1023"]);
  });
});
