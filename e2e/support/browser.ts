/** A real Chromium with a window of its own for each person. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";
import { findProgram } from "../../tools/host/programs.ts";

/** Undefined where this machine has none. */
export async function openBrowser(): Promise<Browser | undefined> {
  const executablePath = (await findProgram("chromium")) ?? (await findProgram("google-chrome"));
  if (executablePath === undefined) return undefined;
  // As root Chromium has no sandbox; it sees only pages of this test.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * What a reader who cannot see, or has no mouse, would stumble over (https://dequeuniversity.com/rules/axe): a line each. Looked
 * at in the light; of the dark only the colours, as nothing else differs.
 */
export async function barriersOf(page: Page): Promise<string[]> {
  // By the debugger's way: the page's own policy lets no other script in.
  await page.evaluate(axe);
  await inScheme(page, "light");
  const inLight = await barriersBy(page, ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]);
  await inScheme(page, "dark");
  const inDark = await barriersBy(page, ["color-contrast"]);
  return [...inLight, ...inDark.map((barrier) => `dark: ${barrier}`)];
}

async function barriersBy(page: Page, runOnly: readonly string[]): Promise<string[]> {
  const { violations } = await page.evaluate<AxeResults>(`axe.run({ runOnly: ${JSON.stringify(runOnly)} })`);
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(" ")}`));
}

async function inScheme(page: Page, colorScheme: "light" | "dark"): Promise<void> {
  await page.emulateMedia({ colorScheme });
  await page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor();
  // A colour on its way to the other is neither.
  await page.evaluate(
    `Promise.all(document.getAnimations().filter((each) => each instanceof CSSTransition).map((each) => each.finished))`,
  );
}

interface Words {
  textContent: string;
  scrollWidth: number;
  clientWidth: number;
  clientHeight: number;
}

/** The words beside the charts in a place that are shortened, or broken into lines, for want of room. */
export function cutOff(place: Locator): Promise<string[]> {
  return place
    .locator("[role=img] p")
    .evaluateAll<string[], Words>((all) =>
      all
        .filter((words) => words.scrollWidth > words.clientWidth + 1 || words.clientHeight > 26)
        .map((words) => words.textContent),
    );
}

export const phone = { viewport: { width: 380, height: 780 }, hasTouch: true } satisfies BrowserContextOptions;
export const desktop = { viewport: { width: 1280, height: 800 } } satisfies BrowserContextOptions;
