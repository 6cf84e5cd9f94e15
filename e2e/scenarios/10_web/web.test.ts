/** The web interface in a real browser on a real platform. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { orThrow } from "#api/errors.ts";
import { brokerClient, publication } from "#testing/broker.ts";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";
import { ask } from "../../support/ask.ts";
import {
  barriersInLight,
  barriersOf,
  desktop,
  isOfMachine,
  openBrowser,
  openWindow,
  phone,
  shownIn,
} from "../../support/browser.ts";
import type { Checkout } from "../../support/checkout.ts";
import { setEnvironments } from "../../support/fleet.ts";
import { shipExample } from "../../support/example.ts";
import { newPerson, type Person } from "../../support/people.ts";
import { probeService, type Service } from "../../support/service.ts";
import { followLog, previewFiles } from "./build.ts";
import { cartSteps, endless } from "./cart.ts";
import { endLeftOver, passFreeze, seeDrift } from "./environment.ts";
import { merge, openDiscounts, review, rollBack, seeBack, seeOwn, shipLive } from "./flow.ts";
import { changePassword } from "./password.ts";
import { addPerson } from "./person.ts";
import { signAgain } from "./release.ts";
import { mergeOnPhone, openNotes, seeSplit } from "./review.ts";
import { signs } from "./signs.ts";
import { act, go, patience, signedIn, type Visitor } from "./visitor.ts";

const single = "owner: checkout\nrun: { cpu: 0.5, memory: 128Mi }\nrelease: { drain: 1s }\n";
const usual = {
  test: "target: docker\nwatch: 500ms\n",
  production: "target: docker\nafter: test\nwatch: 500ms\n",
};

const browser: Browser | undefined = await openBrowser();
let platform: Platform;
let catalog: Checkout;
let cart: Service;
let dora: Person;
let lea: Person;

beforeAll(async () => {
  platform = await startPlatform();
  await setEnvironments(platform, usual);
  dora = await newPerson(platform, "dora", "developer");
  lea = await newPerson(platform, "lea", "lead");
  catalog = await shipExample(platform, "catalog");
  await openDiscounts(catalog, dora);
  cart = await probeService(platform, "cart", { manifest: single, deploy: [] });
  await cart.checkout.write(".towline/pipeline.yml", JSON.stringify({ steps: cartSteps }));
  const broker = brokerClient(`${platform.url}/pact`, `Bearer ${platform.adminToken}`);
  await broker("POST", "/contracts/publish", publication({ consumer: "till", version: "1", provider: "stock" }));
});

afterAll(async () => {
  await browser?.close();
  await catalog?.[Symbol.asyncDispose]();
  await cart?.[Symbol.asyncDispose]();
  await platform?.[Symbol.asyncDispose]();
});

/** With the reason, for a skipped test without one counts as failed. */
function inBrowser(name: string, run: (browser: Browser) => Promise<void>): void {
  // oxlint-disable-next-line vitest/valid-title -- the name is given
  test(name, async (context) => {
    if (!browser) return context.skip("no Chromium is installed here");
    return run(browser).catch(async (error: unknown) => {
      throw new Error(await shownIn(browser), { cause: error });
    });
  });
}

/** A window in which somebody has signed in, the admin where no token is given. */
const enter = (browser: Browser, token = platform.adminToken, options?: BrowserContextOptions) =>
  signedIn(browser, { url: platform.url, token }, options);

/** As the admin sees it. */
function asAdmin(name: string, run: (visitor: Visitor) => Promise<void>): void {
  inBrowser(name, async (browser) => {
    const visitor = await enter(browser);
    await run(visitor);
    await visitor.page.context().close();
  });
}

inBrowser(
  "a wrong token is refused in words, and the right one opens the fleet until one signs out",
  async (browser) => {
    const { page, faults } = await enter(browser);
    await page
      .getByRole("row", { name: /catalog/ })
      .getByText("healthy 2/2")
      .waitFor(patience);
    expect(await page.evaluate("document.cookie")).toBe("");
    await page.reload();
    await page.getByRole("heading", { name: "Fleet" }).waitFor(patience);
    expect(faults).toEqual([]);
    await page.getByRole("button", { name: /^admin,/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("tab", { name: "Token" }).click();
    await page.locator("input[name=token]").fill("tw_wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").getByText("the token is unknown, expired or revoked").waitFor(patience);
    await page.context().close();
  },
);

test("the page lets in no script but its own, whose files browsers keep for good", async () => {
  const page = await fetch(platform.url, { headers: { accept: "text/html" } });
  expect(page.headers.get("content-security-policy")).toMatch(
    /^default-src 'self'; script-src 'self' 'sha256-[^' ]+'; style-src /,
  );
  const scripts = [...(await page.text()).matchAll(/<script[^>]*>/g)].map(([tag]) => /src="([^"]+)"/.exec(tag)?.[1]);
  expect(scripts).toEqual([undefined, expect.stringMatching(/^\/assets\//)]);
  const script = await fetch(platform.url + scripts[1]);
  expect(script.headers.get("cache-control")).toContain("immutable");
  // Whatever `NODE_ENV` this test has, the libraries are those for users, which are half as large and twice as quick.
  expect(await script.text()).toContain("Minified React error");
});

inBrowser(
  "a change of the example fleet is reviewed and merged, seen going live without a reload, shipped to production by the button, and rolled back from a phone",
  async (browser) => {
    const [watching, reviewer] = [await enter(browser), await enter(browser, lea.token)];
    await watching.page.evaluate("window.unchanged = true");
    await review(reviewer);
    const author = await enter(browser, dora.token);
    await seeOwn(author, platform.url);
    await author.page.context().close();
    await merge(reviewer);
    await reviewer.page.context().close();
    await shipLive(watching, platform);
    const night = await enter(browser, platform.adminToken, { ...phone, colorScheme: "dark" });
    await rollBack(night);
    await night.page.context().close();
    await seeBack(watching);
    await watching.page.context().close();
  },
);

inBrowser(
  "a build is watched at work without a reload: why a step waits, the failed test first, a word in 200 MB of log, the gate",
  async (browser) => {
    const { page, faults } = await enter(browser);
    await go(page, "b", "Builds");
    await page.evaluate("window.unchanged = true");
    await cart.push("1");
    await page
      .getByRole("row", { name: /cart 1/ })
      .getByRole("link", { name: "Version 1" })
      .click(patience);
    const step = (name: string) => page.getByRole("table", { name: "Steps" }).getByRole("row", { name });
    await step("mac").getByText("waits for an agent with queue=mac; none is connected").waitFor(patience);
    await step("unit").getByText("failed", { exact: true }).waitFor({ timeout: 120_000 });
    await page.getByRole("tab", { name: "Tests 1 failed" }).click();
    const rows = page.getByRole("table", { name: "Tests" }).locator("tbody tr");
    await rows.first().waitFor(patience);
    expect(await rows.first().innerText()).toContain("takes the voucher off");
    expect(await rows.nth(1).innerText()).toMatch(/asks the bank[^]*flaky/);
    await page.getByRole("tab", { name: "Steps" }).click();

    await step("flood").getByText("passed").waitFor({ timeout: 240_000 });
    await step("flood").getByRole("button", { name: "flood" }).click();
    await page.getByRole("searchbox", { name: "Search in the log" }).fill("NEEDLE in");
    await page.getByText("1 of 1").waitFor(patience);
    await page.getByRole("log").locator("[data-hit]").getByText("needle in").waitFor(patience);
    await page.getByRole("link", { name: "Link to line 1000004" }).click();
    await page.waitForURL(/\?step=flood&attempt=1#L1000004$/, patience);
    await page.getByRole("button", { name: "Close", exact: true }).click();

    const called = await enter(browser, platform.adminToken, phone);
    await called.page.goto(`${platform.url}/builds/cart/1`);
    const gate = called.page.getByRole("form", { name: "Deploy to production" });
    await gate.getByRole("textbox", { name: "Reason" }).fill("vouchers");
    const open = gate.getByRole("button", { name: "Deploy to production" });
    await act(() => open.click(), gate, { state: "detached", ...patience });
    await step("ship").getByText("passed").waitFor({ timeout: 120_000 });
    expect(called.faults).toEqual([]);
    await called.page.context().close();
    expect(await page.evaluate("window.unchanged")).toBe(true);
    expect(faults).toEqual([]);
    await page.context().close();
  },
);

asAdmin("files of a job are shown without letting them do anything, and all can be downloaded", (visitor) =>
  previewFiles(visitor, platform.url),
);

asAdmin(
  "a log is followed while it grows, until somebody reads further up; a build is canceled, and its log had whole",
  async (visitor) => {
    await cart.checkout.write(".towline/pipeline.yml", JSON.stringify({ steps: endless }));
    await cart.push("2");
    await followLog(visitor, platform.url);
  },
);

inBrowser(
  "an environment shows who asks whom as it happens, and a lock is taken, seen and lifted there",
  async (browser) => {
    const { page, faults } = await enter(browser);
    await page.evaluate("window.unchanged = true");
    await page.getByRole("link", { name: "Environments" }).click();
    await page.getByRole("link", { name: "test", exact: true }).click();
    const map = page.getByRole("region", { name: "Who asks whom" });
    await map.getByText("catalog", { exact: true }).first().waitFor(patience);
    await until(
      async () => {
        await ask(platform.httpPort, "catalog.test.localhost");
        return map.getByText("People", { exact: true }).first().isVisible();
      },
      { deadlineMs: 180_000, describe: () => "the requests of people are not on the map" },
    );
    await page.getByRole("button", { name: "Lock…" }).click();
    await page.getByLabel("Why nothing may be deployed").fill("the database moves");
    const [lock, lift] = ["Lock test", "Lift"].map((name) => page.getByRole("button", { name }));
    await act(() => lock!.click(), page.getByText("all services locked by admin: the database moves"));
    await act(() => lift!.click(), page.getByText("Nothing waits, nothing drifts, nobody holds it"));
    expect(await page.evaluate("window.unchanged")).toBe(true);
    expect(faults).toEqual([]);
    await page.context().close();
  },
);

asAdmin("an instance that is gone is told as drift, until it is back", (visitor) => seeDrift(visitor, platform));

inBrowser(
  "a freeze is seen to hold, a lead lets one deployment pass it, and the new release is watched beside the old until it is canceled",
  async (browser) => {
    const [visitor, lead] = [await enter(browser), await enter(browser)];
    await passFreeze(visitor, lead, platform);
    await setEnvironments(platform, { test: usual.test });
    await visitor.page.context().close();
    await lead.page.context().close();
  },
);

asAdmin("a release whose signature was taken away is signed again from its page, or says why not", (visitor) =>
  signAgain(visitor, platform),
);

inBrowser(
  "a pull request is read side by side, and commented on a line, approved and merged on a phone",
  async (browser) => {
    await openNotes(platform, dora);
    const desk = await enter(browser, lea.token);
    await seeSplit(desk, platform.url);
    await desk.page.context().close();
    const onCall = await enter(browser, lea.token, phone);
    await mergeOnPhone(onCall, platform.url);
    await onCall.page.context().close();
  },
);

inBrowser("an admin adds a person, whose token is shown this once and lets in until it is revoked", (browser) =>
  addPerson(browser, platform),
);

inBrowser(
  "an admin sets a password for a person, who signs in by it, changes it, and is signed out elsewhere",
  (browser) => changePassword(browser, platform),
);

inBrowser("who may only look sees the buttons with the reason why they are not his", async (browser) => {
  const vera = await newPerson(platform, "vera", "viewer");
  const { page } = await enter(browser, vera.token);
  await page.getByRole("button", { name: "Deploy catalog to test" }).click();
  const button = page.getByRole("dialog").getByRole("button", { name: /^Deploy/ });
  await button.hover();
  await page.getByText("This needs one of the roles developer, lead, admin.").first().waitFor(patience);
  const before = orThrow(await platform.client.listDeployments({ query: {} })).deployments.length;
  await button.click({ force: true });
  expect(orThrow(await platform.client.listDeployments({ query: {} })).deployments.length).toBe(before);
  await page.context().close();
});

asAdmin("a page reads what it shows once, when the stream that tells of changes is open", async ({ page }) => {
  let asked: string[] = [];
  let isCut = true;
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  page.on("requestfailed", (request) => (isCut ||= isOfMachine(request.failure()?.errorText ?? "")));
  // What the machine's network cuts, the page asks for again.
  while (isCut) {
    [asked, isCut] = [[], false];
    await page.goto(`${platform.url}/settings?view=storage`);
    await page.getByText("happens by itself").first().waitFor(patience);
    // What the opening of the stream made the page read again, it has asked for by now.
    await page.getByRole("tab", { name: "Agents" }).click();
    await page.getByText("queue=default").first().waitFor(patience);
  }
  const ofPage = asked.filter((path) => path === "/api/live" || path === "/api/cleaning");
  expect(ofPage).toEqual(["/api/live", "/api/cleaning"]);
});

inBrowser("a server that is away is told, and what is shown is read anew when it is back", async (browser) => {
  const { page } = await enter(browser);
  await platform.server.kill();
  await page.getByText(/^as of /).waitFor(patience);
  // As a proxy before it would answer: a stream that the browser does not open a second time.
  await page.route("**/api/live", (route) => route.fulfill({ status: 502 }), { times: 1 });
  await platform.restartServer();
  await page.getByText(/^as of /).waitFor({ state: "detached", ...patience });
  // So is the code that the first page begins with, and that of another, which comes with the first look at it.
  await page.route(/\/assets\/index-/, (route) => route.abort("connectionreset"), { times: 1 });
  await page.goto(`${platform.url}/`);
  await page.getByRole("heading", { name: "Fleet" }).waitFor(patience);
  await page.route(/\/assets\/builds-page-/, (route) => route.abort("connectionreset"), { times: 2 });
  await page.route(/\/api\/builds(\?|$)/, (route) => route.abort("connectionreset"), { times: 1 });
  const cut = page.waitForEvent("requestfailed", {
    predicate: (each) => each.url().includes("/api/builds"),
    ...patience,
  });
  await page.getByRole("link", { name: "Builds" }).click();
  await cut;
  await page.getByRole("link", { name: "Version 1" }).first().waitFor(patience);
  await page.context().close();
});

inBrowser(
  "no page has a barrier, light or dark, and none is wider than the screen, at a desk or on a phone",
  async (browser) => {
    /** On a phone the colours are the same; what is where is not. */
    const look = async (page: Page) => {
      const wide = () => page.evaluate<boolean>("document.documentElement.scrollWidth > window.innerWidth");
      await page.setViewportSize(desktop.viewport);
      const atDesk = { barriers: await barriersOf(page), wide: await wide() };
      await page.setViewportSize(phone.viewport);
      return { atDesk, onPhone: { barriers: await barriersInLight(page), wide: await wide() } };
    };
    const none = { barriers: [], wide: false };
    const good = { atDesk: none, onPhone: none };
    const stranger = await openWindow(browser, desktop);
    await stranger.goto(platform.url);
    await stranger.locator("input[name=password]").waitFor(patience);
    expect(await look(stranger)).toEqual(good);
    await stranger.getByRole("tab", { name: "Token" }).click();
    expect(await look(stranger)).toEqual(good);
    await stranger.context().close();
    const { page } = await enter(browser);
    await page.keyboard.press("Control+k");
    await page.getByRole("textbox", { name: "Find" }).fill("catalog");
    await page.getByRole("button", { name: "Deploy catalog to test", exact: true }).waitFor(patience);
    expect(await look(page)).toEqual(good);
    const seen: Record<string, Awaited<ReturnType<typeof look>>> = {};
    for (const [path, sign] of Object.entries(signs)) {
      await page.goto(platform.url + path);
      await page.getByText(sign).first().waitFor(patience);
      seen[path] = await look(page);
    }
    expect(seen).toEqual(Object.fromEntries(Object.keys(signs).map((path) => [path, good])));
    await page.context().close();
  },
);

asAdmin("what serves in an environment without a file is told on the page of the fleet, and ended there", (visitor) =>
  endLeftOver(visitor, platform),
);
