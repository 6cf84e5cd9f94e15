/** The web interface in a real browser on a real platform. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { orThrow } from "#api/errors.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";
import { barriersOf, desktop, openBrowser, phone } from "../../support/browser.ts";
import { setEnvironments } from "../../support/fleet.ts";
import { newPerson } from "../../support/people.ts";
import { probeService, type Service } from "../../support/service.ts";

const single = "owner: checkout\nrun: { cpu: 0.5, memory: 128Mi }\nrelease: { drain: 1s }\n";
/** Each page, with a text that is there once it is. */
const signs = {
  "/": "healthy",
  "/?show=shop/production": "Roll back",
  "/services/shop": "succeeded",
  "/activity": "deployments.deployment-finished",
};
const patience = { timeout: 60_000 };

const browser: Browser | undefined = await openBrowser();
let platform: Platform;
let service: Service;

beforeAll(async () => {
  platform = await startPlatform();
  await setEnvironments(platform, {
    test: "target: docker\nwatch: 500ms\n",
    production: "target: docker\nafter: test\nwatch: 500ms\n",
  });
  service = await probeService(platform, "shop", { manifest: single });
  await service.ship("1");
});

afterAll(async () => {
  await browser?.close();
  await service[Symbol.asyncDispose]();
  await platform[Symbol.asyncDispose]();
});

/** With the reason, for a skipped test without one counts as failed. */
function inBrowser(name: string, run: (browser: Browser) => Promise<void>): void {
  // oxlint-disable-next-line vitest/valid-title -- the name is given
  test(name, async (context) => {
    if (!browser) return context.skip("no Chromium is installed here");
    return run(browser);
  });
}

/** A window in which somebody has signed in; whatever its scripts complain of fails the test. */
async function signedIn(
  browser: Browser,
  token: string,
  options: BrowserContextOptions = desktop,
): Promise<{ page: Page; faults: string[] }> {
  const page = await (await browser.newContext(options)).newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  await page.goto(platform.url);
  await page.locator("input[name=token]").fill(token);
  // Who is not signed in is refused once, which the browser writes down.
  faults.length = 0;
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Fleet" }).waitFor(patience);
  return { page, faults };
}

inBrowser(
  "a wrong token is refused in words, and the right one opens the fleet until one signs out",
  async (browser) => {
    const { page, faults } = await signedIn(browser, platform.adminToken);
    expect(await page.getByRole("row", { name: /shop/ }).innerText()).toContain("healthy 1/1");
    expect(await page.evaluate("document.cookie")).toBe("");
    await page.reload();
    await page.getByRole("heading", { name: "Fleet" }).waitFor(patience);
    expect(faults).toEqual([]);
    await page.getByRole("button", { name: /^admin,/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.locator("input[name=token]").fill("tw_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("the token is unknown, expired or revoked").waitFor(patience);
    await page.context().close();
  },
);

inBrowser(
  "a push is seen going live without a reload; the button ships it to production, and rolls back",
  async (browser) => {
    const { page, faults } = await signedIn(browser, platform.adminToken);
    const row = page.getByRole("row", { name: /shop/ });
    const cell = (environment: string) => row.locator(`[data-environment=${environment}]`);
    await page.evaluate("window.unchanged = true");
    await service.push("2");
    await cell("test").getByText("release 2", { exact: true }).waitFor({ timeout: 120_000 });
    expect(await page.evaluate("window.unchanged")).toBe(true);

    await page.getByRole("button", { name: "Deploy shop to production" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("heading", { name: "Release 2, the first here" }).waitFor(patience);
    expect(await dialog.getByRole("list", { name: "Gates" }).innerText()).toContain("after");
    await dialog.getByRole("button", { name: "Deploy to production" }).click();
    await cell("production").getByText("release 2", { exact: true }).waitFor({ timeout: 120_000 });
    await until(async () => (await service.ask("/", "production")) === "200 2", { deadlineMs: 60_000 });

    await page.getByRole("button", { name: "Deploy shop to test" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
    await cell("test").getByText("release 1", { exact: true }).waitFor({ timeout: 120_000 });
    await page.getByRole("link", { name: "shop" }).click();
    await page.getByText("back to 1").waitFor(patience);
    await page.keyboard.press("g");
    await page.keyboard.press("f");
    await page.getByRole("heading", { name: "Fleet" }).waitFor(patience);
    expect(faults).toEqual([]);
    await page.context().close();
  },
);

inBrowser("who may only look sees the buttons with the reason why they are not his", async (browser) => {
  const vera = await newPerson(platform, "vera", "viewer");
  const { page } = await signedIn(browser, vera.token);
  await page.getByRole("button", { name: "Deploy shop to test" }).click();
  const button = page.getByRole("dialog").getByRole("button", { name: /^Deploy/ });
  await button.hover();
  await page.getByText("This needs one of the roles developer, lead, admin.").first().waitFor(patience);
  const before = orThrow(await platform.client.listDeployments({ query: {} })).deployments.length;
  await button.click({ force: true });
  expect(orThrow(await platform.client.listDeployments({ query: {} })).deployments.length).toBe(before);
  await page.context().close();
});

inBrowser("a server that is away is told, and what is shown is read anew when it is back", async (browser) => {
  const { page } = await signedIn(browser, platform.adminToken);
  await platform.server.kill();
  await page.getByText(/^as of /).waitFor(patience);
  await platform.restartServer();
  await page.getByText(/^as of /).waitFor({ state: "detached", ...patience });
  await page.context().close();
});

for (const colorScheme of ["light", "dark"] as const)
  for (const [size, options] of Object.entries({ desktop, phone }))
    inBrowser(`no page has a barrier, and none is wider than the screen: ${size}, ${colorScheme}`, async (browser) => {
      const { page } = await signedIn(browser, platform.adminToken, { ...options, colorScheme });
      const seen = [];
      for (const [path, sign] of Object.entries(signs)) {
        await page.goto(platform.url + path);
        await page.getByText(sign).first().waitFor(patience);
        const wide = await page.evaluate<boolean>("document.documentElement.scrollWidth > window.innerWidth");
        seen.push({ path, barriers: await barriersOf(page), wide });
      }
      expect(seen.filter(({ barriers, wide }) => wide || barriers.length > 0)).toEqual([]);
      await page.context().close();
    });
