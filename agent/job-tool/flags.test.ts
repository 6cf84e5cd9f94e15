import { expect, test } from "vitest";
import { type Flag, parseFlags } from "./flags.ts";

const known: Record<string, Flag> = {
  default: { takes: "word", help: "" },
  append: { takes: "switch", help: "", variable: "APPEND" },
  build: { takes: "word", help: "", variable: "BUILD" },
};

function parse(words: string[], env: Record<string, string> = {}) {
  const parsed = parseFlags(words, known, env);
  if ("problem" in parsed) return parsed.problem;
  const { args, flags } = parsed;
  return { args, default: flags.word("default"), append: flags.on("append"), build: flags.word("build") };
}

const none = { default: undefined, append: false, build: undefined };

test.each([
  [
    "flags before, between and behind",
    ["--default", "x", "a", "--append", "b"],
    ["a", "b"],
    { default: "x", append: true },
  ],
  ["one dash", ["-default=x", "a"], ["a"], { default: "x" }],
  ["an equals sign in the value", ["--default=x=y", "a"], ["a"], { default: "x=y" }],
  ["an empty value", ["a", "--default", ""], ["a"], { default: "" }],
  ["a value that looks like a flag", ["--default", "--append"], [], { default: "--append" }],
  ["a switch that is off", ["--append=false"], [], { append: false }],
  ["two dashes end the flags", ["--", "--append"], ["--append"], {}],
  ["one dash is an argument", ["-"], ["-"], {}],
  ["what every command of Buildkite's takes", ["--no-color", "--log-level", "debug", "a"], ["a"], {}],
])("%s", (_, words, args, flags) => {
  expect(parse(words)).toEqual({ ...none, ...flags, args });
});

test("a variable counts where the flag is not given", () => {
  expect(parse([], { APPEND: "true", BUILD: "b1" })).toEqual({ ...none, args: [], append: true, build: "b1" });
  expect(parse(["--build", "b2"], { BUILD: "b1" })).toMatchObject({ build: "b2" });
  expect(parse([], { BUILD: "" })).toMatchObject({ build: undefined });
});

test("a flag that is not there, or lacks its value, is a problem", () => {
  expect(parse(["--defalt", "x"])).toBe("there is no flag --defalt; did you mean --default?");
  expect(parse(["--default"])).toBe("--default needs a value");
  expect(parse(["--constructor"])).toBe("there is no flag --constructor");
});
