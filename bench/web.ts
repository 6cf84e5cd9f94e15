/**
 * The web interface in a real Chromium, with a log of 200 MB: bytes of the first page, time to its first paint and to its form with an empty cache,
 * beside a page of one word (what browser and machine take by themselves), time to switch between pages, and frames drawn while the log is
 * scrolled from its beginning on.
 */
import { once } from "node:events";
import { readdir, readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { type Platform, startPlatform } from "#testing/platform.ts";
import { prepareHost } from "../cli/prepare.ts";
import { desktop, openBrowser } from "../e2e/support/browser.ts";
import { buildOf, finished, newService } from "../e2e/support/fleet.ts";
import { buildWeb } from "../tools/web/build.ts";
import { type BenchResult, median, quantile, round, say } from "./figures.ts";

const aims = { bundleKb: 250, paintMs: 1_000, switchMs: 100, frames: 55 };
const rounds = 7;
const scrollMs = 5_000;
const flood = `seq -f '%07.0f ${"all work and no play ".repeat(20).slice(0, 191)}' 1000000`;

export async function main(): Promise<BenchResult> {
  await prepareHost({ yes: true }, ["debian"]);
  const bundle = await bundleKb(await buildWeb(say));
  await using platform = await startPlatform({ TOWLINE_LOG_LEVEL: "warn" });
  await makeLog(platform);
  const browser = await openBrowser();
  if (!browser) throw new Error("no Chromium is installed here");
  try {
    const opened = await coldStarts(browser, platform);
    const paints = opened.map(({ paint }) => paint);
    const ready = opened.map(({ ready: at }) => at);
    const bare = opened.map(({ bare: at }) => at);
    const page = await signedIn(browser, platform);
    const switches = await timeSwitches(page);
    const { perSecond, atRest, worst, heapMib } = await scrollLog(page, platform.url);
    return {
      bench: "web",
      ok:
        bundle <= aims.bundleKb &&
        median(paints) <= aims.paintMs &&
        median(ready) <= aims.paintMs &&
        quantile(switches, 0.9) <= aims.switchMs &&
        perSecond >= aims.frames,
      figures: {
        bundle_kb: round(bundle, 0),
        aim_bundle_kb: aims.bundleKb,
        first_paint_ms: round(median(paints), 0),
        aim_first_paint_ms: aims.paintMs,
        form_ready_ms: round(median(ready), 0),
        bare_page_first_paint_ms: round(median(bare), 0),
        first_paint_over_bare_ms: round(median(paints) - median(bare), 0),
        form_ready_over_bare_ms: round(median(ready) - median(bare), 0),
        switch_p50_ms: round(median(switches), 0),
        switch_p90_ms: round(quantile(switches, 0.9), 0),
        aim_switch_ms: aims.switchMs,
        frames_per_second: round(perSecond, 1),
        aim_frames_per_second: aims.frames,
        frames_per_second_at_rest: round(atRest, 1),
        longest_frame_ms: round(worst, 0),
        heap_mib: round(heapMib, 0),
      },
    };
  } finally {
    await browser.close();
  }
}

/** Scripts of the first page, compressed: what `index.html` names. */
async function bundleKb(folder: string): Promise<number> {
  const page = await readFile(join(folder, "index.html"), "utf8");
  const named = (await readdir(join(folder, "assets"))).filter((name) => name.endsWith(".js") && page.includes(name));
  const sizes = named.map(async (name) => {
    const path = join(folder, "assets", name);
    return (await stat(`${path}.gz`).catch(() => stat(path))).size;
  });
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0) / 1000;
}

async function makeLog(platform: Platform): Promise<void> {
  await using checkout = await newService(platform, "probe", "flood");
  await checkout.write(".towline/pipeline.yml", JSON.stringify({ steps: [{ key: "flood", command: flood }] }));
  await buildOf(platform.client, await checkout.push("A log of 200 MB"), finished, 300_000);
}

interface Start {
  /** The first picture with content: the mark that stands in the page itself. */
  paint: number;
  /** The form to sign in can be written into. */
  ready: number;
  /** The first picture of a page of one word, opened just before. */
  bare: number;
}

const paintOf = `new Promise((done) => {
  const look = () => {
    const [paint] = performance.getEntriesByName("first-contentful-paint");
    if (paint) done(paint.startTime);
    else setTimeout(look, 10);
  };
  look();
})`;

/** Milliseconds from the beginning of the navigation, each with an empty cache. */
async function coldStarts(browser: Browser, { url }: Platform): Promise<Start[]> {
  await using bare = await barePage();
  const times: Start[] = [];
  for (let turn = 0; turn < rounds; turn++) {
    const other = await (await browser.newContext(desktop)).newPage();
    await other.goto(bare.url);
    const barePaint = await other.evaluate<number>(paintOf);
    await other.context().close();
    const page = await (await browser.newContext(desktop)).newPage();
    await page.addInitScript(`new MutationObserver((_, observer) => {
      if (!document.querySelector("input[name=password]")) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => (window.readyAt = performance.now())));
    }).observe(document, { childList: true, subtree: true })`);
    await page.goto(url);
    await page.locator("input[name=password]").waitFor();
    await page.waitForFunction("window.readyAt");
    times.push({
      paint: await page.evaluate<number>(paintOf),
      ready: await page.evaluate<number>("window.readyAt"),
      bare: barePaint,
    });
    await page.context().close();
  }
  return times;
}

async function barePage(): Promise<{ url: string } & AsyncDisposable> {
  const server = createServer((_, answer) => {
    answer.setHeader("content-type", "text/html");
    answer.end("<!doctype html><title>bare</title><p>bare</p>");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function signedIn(browser: Browser, { url, adminToken }: Platform): Promise<Page> {
  const page = await (await browser.newContext(desktop)).newPage();
  await page.goto(url);
  await page.getByRole("tab", { name: "Token" }).click();
  await page.locator("input[name=token]").fill(adminToken);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Fleet" }).waitFor();
  return page;
}

/** From the press of the link to the picture with the other page's heading, by the page's own clock. */
async function timeSwitches(page: Page): Promise<number[]> {
  const times: number[] = [];
  for (let turn = 0; turn < rounds * 2; turn++)
    for (const [name, address] of [
      ["Builds", "/builds"],
      ["Fleet", "/"],
    ])
      times.push(
        await page.evaluate<number>(`(async () => {
          const began = performance.now();
          document.querySelector('nav a[href="${address}"]').click();
          while (document.querySelector("main h1")?.textContent !== "${name}") await new Promise(requestAnimationFrame);
          await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
          return performance.now() - began;
        })()`),
      );
  // The first visit of each fetches its script.
  return times.slice(2);
}

/** The wheel is turned by two screens a second; frames are counted by the page. */
async function scrollLog(page: Page, url: string) {
  await page.goto(`${url}/builds/flood/1?step=flood`);
  const log = page.getByRole("log");
  await log.getByText("0000001 all work").waitFor();
  await log.hover();
  const atRest = await framesOf(page);
  const counting = framesOf(page);
  const end = Date.now() + scrollMs;
  while (Date.now() < end) {
    await page.mouse.wheel(0, 160);
    await page.waitForTimeout(16);
  }
  const lengths = await counting;
  const heapMib = (await page.evaluate<number>("performance.memory.usedJSHeapSize")) / 1024 ** 2;
  return { perSecond: rateOf(lengths), atRest: rateOf(atRest), worst: Math.max(...lengths), heapMib };
}

const rateOf = (lengths: number[]): number => 1000 / (lengths.reduce((sum, each) => sum + each, 0) / lengths.length);

/** Milliseconds between the frames of the next seconds. */
async function framesOf(page: Page): Promise<number[]> {
  const frames = await page.evaluate<number[]>(`new Promise((done) => {
    const frames = [];
    const end = performance.now() + ${scrollMs};
    const next = (at) => { frames.push(at); if (at < end) requestAnimationFrame(next); else done(frames); };
    requestAnimationFrame(next);
  })`);
  return frames.slice(1).map((at, index) => at - (frames[index] ?? at));
}
