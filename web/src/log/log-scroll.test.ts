import { expect, test } from "vitest";
import { barHeight, type LogWindow, placeAt, rowsAt, scrolledTo, tallest } from "./log-scroll.ts";

const short: LogWindow = { rows: 1_000, rowHeight: 20, height: 600 };
const long: LogWindow = { rows: 10_000_000, rowHeight: 20, height: 600 };
const top = { bar: 0, at: 0 };

test("a log that fits moves as its bar does", () => {
  expect(barHeight(short)).toBe(20_000);
  expect(scrolledTo(short, top, 5_432)).toEqual({ bar: 5_432, at: 5_432 });
  expect(placeAt(short, 99_999)).toEqual({ bar: 19_400, at: 19_400 });
});

test("a longer one has a bar that browsers can draw, whose ends are its own ends", () => {
  expect(barHeight(long)).toBe(tallest);
  expect(scrolledTo(long, placeAt(long, 5_000_000), 0).at).toBe(0);
  expect(scrolledTo(long, top, tallest - long.height).at).toBe(200_000_000 - 600);
  expect(placeAt(long, 200_000_000).bar).toBe(tallest - long.height);
});

test("the wheel moves a long log line by line; the bar, dragged, brings one to any part of it", () => {
  const middle = placeAt(long, 100_000_000);
  expect(scrolledTo(long, middle, middle.bar + 100).at).toBe(middle.at + 100);
  expect(scrolledTo(long, middle, middle.bar - 100).at).toBe(middle.at - 100);
  const dragged = scrolledTo(long, top, (tallest - 600) / 2).at;
  expect(dragged / 200_000_000).toBeCloseTo(0.5, 2);
});

test("a place and its bar lead to each other, and the ends of a long log are reached line by line", () => {
  for (const at of [0, 1, 99_999, 100_001, 77_777_777, 199_900_001, 199_999_400])
    expect(scrolledTo(long, top, placeAt(long, at).bar).at).toBeCloseTo(at, 0);
  const nearEnd = placeAt(long, 200_000_000 - 600 - 5_000);
  expect(tallest - 600 - nearEnd.bar).toBeCloseTo(5_000, 3);
});

test("drawn is what is seen, and some rows beside it", () => {
  expect(rowsAt(short, { bar: 205, at: 205 }, 5)).toEqual({ first: 5, end: 46 });
  expect(rowsAt(short, top, 5)).toEqual({ first: 0, end: 35 });
  expect(rowsAt(short, placeAt(short, 20_000), 5)).toEqual({ first: 965, end: 1_000 });
});
