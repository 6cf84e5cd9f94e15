/** Somebody at a browser. */
import type { Browser, BrowserContextOptions, Locator, Page, Request } from "playwright-core";
import { until } from "#testing/until.ts";
import { desktop, isOfMachine, openWindow } from "../../support/browser.ts";

export const patience = { timeout: 60_000 };
/** For what builds, deploys or runs first. */
export const long = { timeout: 180_000 };

export interface Visitor {
  page: Page;
  /** What the scripts of the page complain of, and each other host that is asked. */
  faults: string[];
}

/**
 * Presses, and waits for what it brings. Where a change of the machine's network cut what the page asked (see `isOfMachine`), it
 * says so, and one does as it says: look, and press again.
 */
export async function act(press: () => Promise<void>, sign: Locator, how: Waiting = patience): Promise<void> {
  const { timeout, state = "visible" } = how;
  const cut = sign.page().getByText("Towline did not answer");
  const isDone = async () => (state === "visible" ? sign.first().isVisible() : (await sign.count()) === 0);
  for (;;) {
    await press();
    await until(async () => (await isDone()) || (await cut.count()) > 0, {
      deadlineMs: timeout,
      describe: () => `${String(sign)} is not ${state}`,
    });
    if (await isDone()) return;
    // A notification goes by itself; what stands beside the button goes when it is pressed.
    await cut
      .first()
      .waitFor({ state: "detached", timeout: 10_000 })
      .catch(() => {});
  }
}

interface Waiting {
  timeout: number;
  state?: "visible" | "detached";
}

/** To another page by `g` and its key, which count only within a second of each other. */
export async function go(page: Page, key: string, heading: string): Promise<void> {
  const there = page.getByRole("heading", { name: heading });
  await until(async () => {
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    return appears(there, 5_000);
  });
}

/** Whether it is there within so many milliseconds. */
export const appears = (sign: Locator, timeout: number): Promise<boolean> =>
  sign.waitFor({ timeout }).then(
    () => true,
    () => false,
  );

/** Presses the button of that name and `…`, where that has not been done, and the one that asks whether it is meant. */
export function confirmed(page: Page, name: string): () => Promise<void> {
  const meant = page.getByRole("button", { name, exact: true });
  return async () => {
    if (!(await meant.isVisible())) await page.getByRole("button", { name: `${name}…` }).click();
    await meant.click();
  };
}

/** A window in which somebody has signed in. */
export async function signedIn(
  browser: Browser,
  { url, token }: { url: string; token: string },
  options: BrowserContextOptions = desktop,
): Promise<Visitor> {
  const page = await openWindow(browser, options);
  const faults: string[] = [];
  const isForeign = (asked: string) => /^https?:/.test(asked) && new URL(asked).origin !== url;
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on(
    "console",
    (message) => message.type() === "error" && !isOfMachine(message.text()) && faults.push(message.text()),
  );
  const tell = (request: Request) => {
    // One that the page's own policy forbade never left the browser.
    if (isForeign(request.url()) && request.failure()?.errorText !== "csp")
      faults.push(`another host was asked: ${request.url()}`);
  };
  page.on("requestfinished", tell).on("requestfailed", tell);
  await page.goto(url);
  await page.getByRole("tab", { name: "Token" }).click();
  await page.locator("input[name=token]").fill(token);
  // Who is not signed in is refused once, which the browser writes down.
  faults.length = 0;
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Fleet" }).waitFor(patience);
  return { page, faults };
}
