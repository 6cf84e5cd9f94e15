import { expect } from "vitest";
import type { Said } from "./command-line.ts";

/** Standard output of a command that must succeed and say nothing on the side. */
export function done(said: Said): string {
  expect(said.code, said.stderr + said.stdout).toBe(0);
  return said.stdout;
}

/** Standard error of a command that must end with this status. */
export function failed(said: Said, code: 1 | 2): string {
  expect(said.code, said.stderr + said.stdout).toBe(code);
  return said.stderr;
}

/** The one line of JSON of a command that must succeed. */
export function json(said: Said): Record<string, unknown> {
  const text = done(said);
  expect(text.trimEnd().split("\n").length).toBe(1);
  return JSON.parse(text) as Record<string, unknown>;
}
