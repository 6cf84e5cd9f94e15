/** A real Chromium with a window of its own for each person. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";
import { findProgram } from "../../tools/host/programs.ts";

/** The first shows nothing to anybody, which takes half of the work. */
const names = ["chromium-headless-shell", "chromium", "google-chrome"];

/** Undefined where this machine has none. */
export async function openBrowser(): Promise<Browser | undefined> {
  const executablePath = (await Promise.all(names.map(findProgram))).find((found) => found !== undefined);
  if (executablePath === undefined) return undefined;
  // As root Chromium has no sandbox; it sees only pages of this test.
  return chromium.launch({ executablePath, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
}

/** Chromium cuts what it is asking for when the machine gets a network interface, as Docker makes one for every container. */
export const isOfMachine = (fault: string): boolean => fault.includes("net::ERR_NETWORK_CHANGED");

const mostTries = 5;

/** A page that is cut is loaded again: what Chromium does by itself where it has a window. */
export async function openWindow(browser: Browser, options: BrowserContextOptions): Promise<Page> {
  const page = await (await browser.newContext(options)).newPage();
  page.goto = untilUncut(page.goto.bind(page));
  page.reload = untilUncut(page.reload.bind(page));
  return page;
}

function untilUncut<Asked extends unknown[], Answer>(go: (...asked: Asked) => Promise<Answer>): typeof go {
  return async (...asked) => {
    for (let tries = 1; ; tries++)
      try {
        return await go(...asked);
      } catch (error) {
        const said = String(error);
        // The page that tells of the cut may come only when the next is asked for, and takes its place.
        const isCut = isOfMachine(said) || said.includes('another navigation to "chrome-error://');
        if (tries === mostTries || !isCut) throw error;
      }
  };
}

/** Address and words of each window that is open, for who has to find out why what was expected is not there; closes them. */
export async function shownIn(browser: Browser): Promise<string> {
  const pages = browser.contexts().flatMap((context) => context.pages());
  const shown = await Promise.all(
    pages.map(async (page) => `${page.url()} shows:\n${await page.locator("body").innerText()}`),
  );
  await Promise.all(browser.contexts().map((context) => context.close()));
  return shown.join("\n\n");
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/**
 * What a reader who cannot see, or has no mouse, would stumble over (https://dequeuniversity.com/rules/axe): a line each. Looked
 * at in the light; of the dark only the colours, as nothing else differs.
 */
export async function barriersOf(page: Page): Promise<string[]> {
  const inLight = await barriersInLight(page);
  await inScheme(page, "dark");
  const inDark = await barriersBy(page, ["color-contrast"]);
  return [...inLight, ...inDark.map((barrier) => `dark: ${barrier}`)];
}

/** The same in the light alone. */
export async function barriersInLight(page: Page): Promise<string[]> {
  // By the debugger's way: the page's own policy lets no other script in.
  if (!(await page.evaluate<boolean>("'axe' in window"))) await page.evaluate(axe);
  await inScheme(page, "light");
  return barriersBy(page, ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]);
}

async function barriersBy(page: Page, runOnly: readonly string[]): Promise<string[]> {
  // Where each of the thousand things is that are good nobody asks: to write that down takes as long as to find the others.
  const options = JSON.stringify({ runOnly, resultTypes: ["violations"] });
  const { violations } = await page.evaluate<AxeResults>(`axe.run(${options})`);
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

// Nobody looks: what turns or fades would only be drawn again and again.
const still = { reducedMotion: "reduce" } satisfies BrowserContextOptions;
export const phone = {
  ...still,
  viewport: { width: 380, height: 780 },
  hasTouch: true,
} satisfies BrowserContextOptions;
export const desktop = { ...still, viewport: { width: 1280, height: 800 } } satisfies BrowserContextOptions;
