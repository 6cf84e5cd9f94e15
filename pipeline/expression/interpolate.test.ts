import fc from "fast-check";
import { expect, test } from "vitest";
import { interpolate } from "./interpolate.ts";

const variables = {
  NAME: "orders",
  EMPTY: "",
  COMMIT: "0123456789abcdef",
  VERSION: "123.55.66",
  ONCE: "$NAME is not read again",
};

test.each([
  ["$NAME-${NAME}x", "orders-ordersx"],
  ["$$NAME \\$NAME $${NAME}", "$NAME $NAME ${NAME}"],
  ["${EMPTY:-a} ${EMPTY-b} ${NONE-c} ${NONE:-}", "a  c "],
  ["${NONE:-${NAME}-$EMPTY}", "orders-"],
  ["${NONE:-${ALSO_NONE:-deep}}", "deep"],
  ["${COMMIT:0:7} ${COMMIT:12} ${COMMIT: -4} ${COMMIT:9:0}", "0123456 cdef cdef "],
  ["${NAME?gone} ${NAME:?gone}", "orders orders"],
  ["$(date) $1 costs 5$ a\\b $", "$(date) $1 costs 5$ a\\b $"],
  ["{a} }", "{a} }"],
  ["my$NAME $ONCE", "myorders $NAME is not read again"],

  ["${NONE:-Some ${NAME:-$EMPTY} with $NAME}", "Some orders with orders"],
  ["${EMPTY:--:{}}", "-:{}"],
  ["${EMPTY:-127}", "127"],
  ["${COMMIT: -128} ${COMMIT:128} ${COMMIT:4:-4} ${COMMIT:0:-128} ${COMMIT:14:128}", "0123456789abcdef  456789ab  ef"],
  ["${VERSION%.*} ${VERSION%%.*} ${VERSION#*.} ${VERSION##*.}", "123.55 123 55.66 66"],
  [
    "${VERSION%66} ${VERSION#123.} ${VERSION%7*} ${VERSION#4} ${VERSION%%*} ${VERSION#*}",
    "123.55. 55.66 123.55.66 123.55.66  123.55.66",
  ],
  ["\\\\$NAME", "\\\\orders"],
  ["$(", "$("],
])("%j becomes %j", (text, expected) => {
  expect(interpolate(text, variables)).toEqual({ text: expected, unset: [] });
});

test("names are as they are written", () => {
  expect(interpolate("$name ${Name}", variables)).toEqual({ text: " ", unset: ["name", "Name"] });
});

test("variables that are not known become empty and are listed", () => {
  expect(interpolate("$f ${g} ${f}", variables)).toEqual({ text: "  ", unset: ["f", "g"] });
  expect(interpolate("$toString", variables)).toEqual({ text: "", unset: ["toString"] });
});

test.each([
  ["${NONE?set it}", "`NONE` must be set: set it"],
  ["${EMPTY:?}", "`EMPTY` must be set"],
  ["${NAME", "`${NAME` is not closed with `}`"],
  ["${NAME!}", "`${NAME` is not closed with `}`"],
  ["${NAME:0:x}", "`:0:x` is no offset and length, such as `:0:7`"],
  ["${NAME%a*b*}", "`%a*b*` may have one `*`, and no other special character"],
  ["${NONE?y u no set me? :-{}", "`NONE` must be set: y u no set me? :-{"],
  ["${}", "the name of a variable is missing after `${`; write `$${` for the text itself"],
  ["${A:-".repeat(30), "`${` is nested deeper than 20"],
])("%j: %s", (text, problem) => {
  expect(interpolate(text, variables)).toEqual({ problem });
});

test("a text without dollars and backslashes stays as it is", () => {
  const text = fc.string().map((any) => any.replaceAll(/[$\\]/g, ""));
  fc.assert(
    fc.property(text, (plain) => {
      expect(interpolate(plain, variables)).toEqual({ text: plain, unset: [] });
    }),
  );
});

test("no text makes it throw", () => {
  const piece = fc.constantFrom("$", "{", "}", "NAME", ":-", "?", ":", "1", "\\", " ");
  const text = fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(text, (source) => {
      expect(interpolate(source, variables)).toBeTypeOf("object");
    }),
  );
});
