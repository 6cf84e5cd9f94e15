/** Somebody at a browser. */
import type { Browser, BrowserContextOptions, Page, Request } from "playwright-core";
import { desktop, isOfMachine, openWindow } from "../../support/browser.ts";

export const patience = { timeout: 60_000 };
/** For what builds, deploys or runs first. */
export const long = { timeout: 180_000 };

export interface Visitor {
  page: Page;
  /** What the scripts of the page complain of, and each other host that is asked. */
  faults: string[];
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
