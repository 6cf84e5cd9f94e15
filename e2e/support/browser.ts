/** A real Chromium with a window of its own for each person. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { findProgram } from "../../tools/host/programs.ts";

/** Undefined where this machine has none. */
export async function openBrowser(): Promise<Browser | undefined> {
  const executablePath = (await findProgram("chromium")) ?? (await findProgram("google-chrome"));
  if (executablePath === undefined) return undefined;
  // As root Chromium has no sandbox; it sees only pages of this test.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What a reader who cannot see, or has no mouse, would stumble over (https://dequeuniversity.com/rules/axe): a line each. */
export async function barriersOf(page: Page): Promise<string[]> {
  // By the debugger's way: the page's own policy lets no other script in.
  await page.evaluate(axe);
  const { violations } = await page.evaluate<AxeResults>(
    "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })",
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`));
}

export const phone: BrowserContextOptions = { viewport: { width: 380, height: 780 }, hasTouch: true };
export const desktop: BrowserContextOptions = { viewport: { width: 1280, height: 800 } };
