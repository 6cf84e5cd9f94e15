/** What a build has left, and what it is saying. */
import { readFile } from "node:fs/promises";
import { expect } from "vitest";
import { until } from "#testing/until.ts";
import { barriersOf } from "../../support/browser.ts";
import { act, long, patience, type Visitor } from "./visitor.ts";

/** The files of the first build of the cart. */
export async function previewFiles({ page, faults }: Visitor, url: string): Promise<void> {
  await page.goto(`${url}/builds/cart/1?tab=artifacts`);
  const table = page.getByRole("table", { name: "Artifacts" });
  const open = async (name: string) => {
    await table.getByRole("button", { name, exact: true }).click(patience);
    return page.getByRole("dialog", { name });
  };
  const close = () => page.keyboard.press("Escape");

  const text = await open("kept/coverage.txt");
  await text.getByText("nine of ten lines").waitFor(patience);
  await close();
  const picture = (await open("kept/point.png")).getByRole("img", { name: "kept/point.png" });
  await until(() => picture.evaluate<boolean, { naturalWidth: number }>(({ naturalWidth }) => naturalWidth === 1));
  await close();
  expect(faults).toEqual([]);

  const shown = await open("kept/coverage.html");
  await shown.frameLocator("iframe").getByText("as written").waitFor(patience);
  expect(await shown.getByText("Shown without its scripts").isVisible()).toBe(true);
  expect(await barriersOf(page)).toEqual([]);
  expect(await page.title()).not.toContain("taken over");
  // The browser says what of it was not let happen; nothing of it did.
  expect(faults.filter((fault) => !/Blocked script execution|Content Security Policy/.test(fault))).toEqual([]);
  await close();

  const binary = table.getByRole("row", { name: /kept\/core\.bin/ });
  expect(await binary.getByRole("button").count()).toBe(0);
  const download = page.waitForEvent("download", patience);
  await binary.getByRole("link", { name: "Download kept/core.bin" }).click();
  expect(await contentOf(await download)).toBe("not to be shown");
}

/** The second build of the cart, which ends only when somebody ends it. */
export async function followLog({ page, faults }: Visitor, url: string): Promise<void> {
  await page.goto(`${url}/builds/cart/2?step=talk`);
  const first = page.getByRole("log").getByText("word 1", { exact: true });
  const lines = async () => Number((await page.getByText(/^[\d,]+ lines?$/).innerText()).replaceAll(/\D/g, ""));
  // More lines than the window has room for: of those only the last ones are drawn.
  const isAtEnd = async () => (await lines()) > 100 && (await first.count()) === 0;
  await page.getByRole("log").waitFor(long);
  await until(isAtEnd, { deadlineMs: long.timeout });
  const follow = page.getByRole("button", { name: "Follow" });
  expect(await follow.getAttribute("aria-pressed")).toBe("true");

  await page.getByRole("log").focus();
  await page.keyboard.press("Home");
  await first.waitFor(patience);
  expect(await follow.getAttribute("aria-pressed")).toBe("false");
  const before = await lines();
  await until(async () => (await lines()) > before + 20);
  expect(await first.isVisible()).toBe(true);
  await follow.click();
  await until(isAtEnd);
  expect(await barriersOf(page)).toEqual([]);

  await page.getByRole("button", { name: "Close", exact: true }).click();
  const cancel = page.getByRole("button", { name: "Cancel build" });
  await act(() => cancel.click(), page.getByText("canceled", { exact: true }), long);
  await page.goto(`${url}/builds/cart/2?step=talk`);
  await page.getByRole("button", { name: "To the end" }).click(patience);
  const all = await lines();
  const download = page.waitForEvent("download", patience);
  await page.getByRole("link", { name: "Download" }).click();
  const whole = await contentOf(await download);
  expect(whole).toMatch(/word 1\nword 2\nword 3\n/);
  expect(whole.trimEnd().split("\n")).toHaveLength(all);
  expect(faults).toEqual([]);
}

async function contentOf(download: { path(): Promise<string> }): Promise<string> {
  return readFile(await download.path(), "utf8");
}
