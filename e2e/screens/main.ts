/** `./towline test --screens DIR`: a picture of each screen of the web interface, on a desktop and a phone, light and dark, and on a screen of 4k. */
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { ask } from "../support/ask.ts";
import { desktop, openBrowser, openWindow, phone } from "../support/browser.ts";
import { newPerson } from "../support/people.ts";
import { screens, type Screen } from "./screens.ts";
import { seed } from "./seed.ts";

const tallest = 2_160;
const patience = { timeout: 60_000 };
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const [given] = process.argv.slice(2);
if (given === undefined) throw new Error("give the folder for the pictures");
const folder = resolve(given);
await mkdir(folder, { recursive: true });
await using platform = await startPlatform({ TOWLINE_LOG_LEVEL: "warn" });
await seed(platform, say);
const viewer = (await newPerson(platform, "vera", "viewer")).token;
const browser = await openBrowser();
if (!browser) throw new Error("no Chromium is installed here");
const visitors = keepVisiting(platform);
try {
  for (const colorScheme of ["light", "dark"] as const)
    for (const [size, options] of Object.entries({ desktop, phone }))
      await photograph(browser, { ...options, colorScheme }, `${size}-${colorScheme}`);
  await photograph(browser, { viewport: { width: 3840, height: 2160 } }, "4k-light");
} finally {
  clearInterval(visitors);
  await browser.close();
}
say(`the pictures are in ${folder}`);

/** People who use the shop, so that there are figures to show. */
function keepVisiting({ httpPort }: Platform): NodeJS.Timeout {
  const doors = ["storefront", "storefront", "storefront", "catalog", "orders"];
  let turn = 0;
  return setInterval(() => {
    const name = doors[turn++ % doors.length] ?? "storefront";
    void ask(httpPort, `${name}.production.localhost`).catch(() => {});
  }, 150);
}

/** `kind`: what the names of the files end with. */
async function photograph(browser: Browser, options: BrowserContextOptions, kind: string): Promise<void> {
  const context = { ...options, reducedMotion: "reduce" as const, locale: "en-GB", timezoneId: "UTC" };
  for (const [token, who] of [
    [undefined, "nobody"],
    [platform.adminToken, "admin"],
    [viewer, "viewer"],
  ] as const) {
    const own = screens.filter((each) => (each.who ?? "admin") === who);
    if (own.length === 0) continue;
    const page = await openWindow(browser, context);
    if (token) await signIn(page, token);
    for (const screen of own) await picture(page, screen, kind);
    await page.context().close();
  }
}

async function signIn(page: Page, token: string): Promise<void> {
  await page.goto(platform.url);
  await page.getByRole("tab", { name: "Token" }).click();
  await page.locator("input[name=token]").fill(token);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Fleet" }).waitFor(patience);
}

async function picture(page: Page, { name, path: address, sign, act }: Screen, kind: string): Promise<void> {
  await page.goto(platform.url + address);
  await page.getByText(sign).first().waitFor(patience);
  await act?.(page);
  // What comes in by pieces of its own, such as graphs and charts.
  await page.waitForTimeout(700);
  const { width = 0, height = 0 } = page.viewportSize() ?? {};
  const path = join(folder, `${name}-${kind}.png`);
  // What lies over the page is as tall as the window.
  if ((await page.getByRole("dialog").count()) > 0) await page.screenshot({ path, animations: "disabled" });
  else {
    const whole = await page.evaluate<number>("document.documentElement.scrollHeight");
    // As a window of that height would have it: what stands still beside the page reaches down to its end.
    await page.setViewportSize({ width, height: Math.min(Math.max(whole, height), tallest) });
    await page.screenshot({ path, animations: "disabled" });
    await page.setViewportSize({ width, height });
  }
  await page.unrouteAll();
  say(`${name} ${kind}`);
}
