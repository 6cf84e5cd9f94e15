import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { changesScript, createJobVariables, type VariableChange } from "./job-variables.ts";

const folder = mkdtempSync(join(tmpdir(), "towline-variables-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** What a shell prints that takes up the changes where `TAKE` stands. */
function shell(changes: readonly VariableChange[], script: string): string {
  const file = join(folder, "changes.sh");
  writeFileSync(file, changesScript(changes, "/towline/bin"));
  const env = { PATH: "/usr/bin:/bin", OLD: "old", GONE: "x" };
  return execFileSync("/bin/sh", ["-eu", "-c", script.replaceAll("TAKE", `. ${file}`)], { env }).toString();
}

test("a shell takes up what was set and removed, and each change once", async () => {
  const changes: VariableChange[] = [
    { at: 2, name: "GONE", value: null },
    { at: 3, name: "OLD", value: "new" },
  ];
  const script = 'TAKE; echo "$OLD ${GONE-none}"; OLD=own; TAKE; echo "$OLD"; sh -c "echo \\$OLD"';
  expect(shell(changes, script)).toBe("new none\nown\nown\n");
});

test("the last word on a variable counts, and a later tool of the attempt knows it", async () => {
  let told: readonly VariableChange[] = [];
  const onChange = async (changes: readonly VariableChange[]) => void (told = changes);
  const first = createJobVariables({ OLD: "old" }, { before: [], onChange });
  expect([first.set("A", "1"), first.set("B", "2"), first.set("A", "3")]).toEqual(["added", "added", "updated"]);
  expect(first.unset("OLD")).toBe(true);
  await first.tell();
  expect(told).toEqual([
    { at: 2, name: "B", value: "2" },
    { at: 3, name: "A", value: "3" },
    { at: 4, name: "OLD", value: null },
  ]);
  const second = createJobVariables({ OLD: "old" }, { before: told, onChange });
  expect(second.all()).toEqual({ A: "3", B: "2" });
  second.set("C", "5");
  await second.tell();
  expect(told.at(-1)).toEqual({ at: 5, name: "C", value: "5" });
});

test("the tool stays first on PATH", () => {
  expect(shell([{ at: 1, name: "PATH", value: "/bin:/odd" }], 'TAKE; echo "$PATH"')).toBe("/towline/bin:/bin:/odd\n");
});

test("whatever a value is, a shell sees just that", () => {
  const values = fc.string({ unit: "binary" }).filter((text) => !text.includes("\0") && text.isWellFormed());
  fc.assert(
    fc.property(values, (value) => {
      expect(shell([{ at: 1, name: "OLD", value }], 'TAKE; printf "%s." "$OLD"')).toBe(`${value}.`);
    }),
    { numRuns: 20 },
  );
});
