import fc from "fast-check";
import { expect, test } from "vitest";
import { headLimit, splitHead } from "./cgi-head.ts";

test("a CGI answer is split into status, headers and body, wherever its bytes are cut", () => {
  const answer = Buffer.from("Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\nno\r\n\r\nmore");
  fc.assert(
    fc.property(fc.nat(answer.length), (cut) => {
      const split = splitHead(answer.subarray(0, cut));
      if (!split) return;
      expect(split.head).toEqual({ status: 404, headers: { "content-type": "text/plain" } });
      expect(Buffer.concat([split.rest, answer.subarray(cut)]).toString()).toBe("no\r\n\r\nmore");
    }),
  );
});

test("an answer without a status is a 200", () =>
  expect(splitHead(Buffer.from("Expires: never\n\n"))?.head.status).toBe(200));

test("a head that does not end or is none is refused", () => {
  expect(() => splitHead(Buffer.alloc(headLimit, 65))).toThrow("too long");
  expect(() => splitHead(Buffer.from("fatal error\n\n"))).toThrow("not a CGI header");
});
