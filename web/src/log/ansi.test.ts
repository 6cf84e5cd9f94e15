import { expect, test } from "vitest";
import { spansOf } from "./ansi.ts";

test("colours and weights of a terminal become classes, and end where they end", () => {
  expect(spansOf("a \u001b[1;31mred\u001b[0m b")).toEqual([
    { text: "a ", classes: [] },
    { text: "red", classes: ["bold", "red"] },
    { text: " b", classes: [] },
  ]);
  expect(spansOf("\u001b[97;44mx")).toEqual([{ text: "x", classes: ["bright-white", "on-blue"] }]);
});

test("the 256 and the 16 million colours are as the job says", () => {
  expect(spansOf("\u001b[38;5;196mx")).toEqual([{ text: "x", classes: [], color: "rgb(255 0 0)" }]);
  expect(spansOf("\u001b[38;5;232mx")).toEqual([{ text: "x", classes: [], color: "rgb(8 8 8)" }]);
  expect(spansOf("\u001b[48;2;1;2;3mx")).toEqual([{ text: "x", classes: [], background: "rgb(1, 2, 3)" }]);
});

test("of a line that was written over the last state is shown, and nothing of what moves the cursor", () => {
  expect(spansOf("10 %\r50 %\r100 %\r")).toEqual([{ text: "100 %", classes: [] }]);
  expect(spansOf("\u001b[2K\u001b[1Gdone\u001b_bk;t=1700000000000\u0007 now")).toEqual([
    { text: "done now", classes: [] },
  ]);
});

test("markup in a log stays text", () => {
  expect(spansOf("<img src=x onerror=alert(1)>")).toEqual([{ text: "<img src=x onerror=alert(1)>", classes: [] }]);
});
