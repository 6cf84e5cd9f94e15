/** `docs/operations.md` and `docs/registry.md` against the code: every command is one, with options that it has; every setting is known. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { configManual } from "#kernel/config.ts";
import { commandRows } from "./command-rows.ts";

const read = (name: string) => readFileSync(join(import.meta.dirname, "..", "docs", `${name}.md`), "utf8");
const manual = read("operations") + read("registry");
const blocks = [...manual.matchAll(/^```(\w*)\n(.*?)^```$/gms)]
  .filter(([, language = ""]) => ["", "sh"].includes(language))
  .flatMap(([, , text = ""]) => text.split("\n"))
  .map((line) => line.replace(/ # .*/, ""));
const inline = [...manual.replaceAll(/^```.*?^```$/gms, "").matchAll(/`([^`\n]+)`/g)].map(([, text = ""]) => text);
const commands = [...blocks, ...inline].flatMap(
  (line) => /^(?:[A-Z_]+=\S+ )*(?:\/opt\/towline\/)?towline ([a-z].*)$/.exec(line)?.[1] ?? [],
);

const usual = ["--json", "--url", "--token", "--yes"];

function rowOf(words: readonly string[]) {
  const names = (usage: string) => usage.split(" ").filter((word) => !/^[<[]/.test(word));
  const fits = commandRows.filter(({ usage }) => names(usage).every((name, index) => words[index] === name));
  return fits.toSorted((left, right) => names(right.usage).length - names(left.usage).length)[0];
}

test("there are commands in the manual, and each is one with options that it has", () => {
  expect(commands.length).toBeGreaterThan(15);
  for (const command of commands) {
    const words = command.trim().split(/\s+/);
    const row = rowOf(words);
    expect(row, `towline ${command}`).toBeDefined();
    const known = new Set([...usual, ...(row?.options ?? []).flatMap(([flags]) => flags.split(/[ ,]+/))]);
    const given = words.filter((word) => word.startsWith("--"));
    expect(
      given.filter((flag) => !known.has(flag)),
      command,
    ).toEqual([]);
  }
});

test("every setting in the manual is one", () => {
  const known = new Set(configManual().map(({ name }) => name));
  const named = new Set(manual.match(/TOWLINE_\w*[A-Z0-9]\b/g));
  expect([...named].filter((name) => !known.has(name))).toEqual([]);
});
