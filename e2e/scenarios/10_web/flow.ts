/** One change of the example fleet on its way to production, and back. */
import type { Route } from "playwright-core";
import { expect } from "vitest";
import { orThrow } from "#api/errors.ts";
import type { Platform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";
import { ask } from "../../support/ask.ts";
import type { Checkout } from "../../support/checkout.ts";
import { pushChange } from "../../support/example.ts";
import type { Person } from "../../support/people.ts";
import { act, appears, go, long, patience, type Visitor } from "./visitor.ts";

const title = "Discounts for some products";

export async function openDiscounts(catalog: Checkout, author: Person): Promise<void> {
  await pushChange(catalog, "catalog-discount", title);
  const params = { repository: "catalog" };
  orThrow(await author.client.openPullRequest({ params, body: { branch: "catalog-discount", title } }));
}

/** What the catalog says of its products there. */
export function productsIn(environment: string, { httpPort }: Platform): Promise<string> {
  return ask(httpPort, `catalog.${environment}.localhost`, "/products");
}

const untilDiscounts = (environment: string, platform: Platform) =>
  until(async () => (await productsIn(environment, platform)).includes("discount"), { deadlineMs: long.timeout });

/** A lead finds the pull request by its name, asks for changes, and is content in the end. */
export async function review({ page }: Visitor): Promise<void> {
  await page.keyboard.press("Control+k");
  await page.getByRole("textbox", { name: "Find" }).fill("discounts");
  await page.getByRole("button", { name: `${title} catalog #1` }).click(patience);
  // A build that ends meanwhile takes a line away, and the button from under the pointer.
  const whyNot = page.getByRole("tooltip").getByText("has 0 of 1 required approvals");
  await until(async () => {
    await mergeButton({ page }).hover(patience);
    return appears(whyNot, 2_000);
  });

  await page.getByRole("tab", { name: /^Changes/ }).click();
  await page.getByRole("group", { name: "Lines of src/discounts.js" }).press("ArrowDown", patience);
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.keyboard.type("Why two?");
  const comment = page.getByRole("article", { name: "Comment by lea" }).getByText("Why two?");
  await act(() => page.keyboard.press("Control+Enter"), comment);
  await page.getByRole("button", { name: "Review…" }).click();
  await page.getByRole("textbox", { name: "Your word" }).fill("Say more, please.");
  const refuse = page.getByRole("button", { name: "Ask for changes" });
  await act(() => refuse.click(), refuse, { state: "detached", ...patience });
  await page.getByRole("tab", { name: "Overview" }).click();
  const waits = page.getByRole("list", { name: "What the merge waits for" });
  await waits.getByText("lea asks for changes").waitFor(patience);
}

/** Who opened it decides nothing about it. */
export async function seeOwn({ page }: Visitor, url: string): Promise<void> {
  await page.goto(`${url}/pull-requests/catalog/1`);
  await page.getByRole("button", { name: "Approve" }).hover();
  await page.getByText("You do not review this: you opened it.").waitFor(patience);
}

/** Once the build of the branch has passed, with its tests in Compose. */
export async function merge({ page, faults }: Visitor): Promise<void> {
  const approve = page.getByRole("button", { name: "Approve" });
  await act(() => approve.click(), page.getByText("Nothing stands in the way."), long);
  await act(() => mergeButton({ page }).click(), page.getByText("Merged by lea"));
  expect(faults).toEqual([]);
}

const mergeButton = ({ page }: Pick<Visitor, "page">) => page.getByRole("button", { name: "Merge into main" });

/** On the page of the fleet, where release 1 serves in `test` and nothing in production. */
export async function shipLive({ page, faults }: Visitor, platform: Platform): Promise<void> {
  await cellOf(page, "test").getByRole("link", { name: "release 2", exact: true }).waitFor(long);
  expect(await page.evaluate("window.unchanged")).toBe(true);
  await untilDiscounts("test", platform);

  await page.getByRole("button", { name: "Deploy catalog to production" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("heading", { name: "Release 2, the first here" }).waitFor(patience);
  expect(await dialog.getByRole("list", { name: "Gates" }).innerText()).toContain("after");
  await loseAnswer(page, "**/api/deployments");
  // Which says something else until the release has served in `test`.
  await dialog.getByRole("button", { name: "Deploy to production" }).click(long);
  await dialog.getByText("Release 2 succeeded", { exact: true }).waitFor(long);
  await page.keyboard.press("Escape");
  await cellOf(page, "production").getByRole("link", { name: "release 2", exact: true }).waitFor(long);
  await untilDiscounts("production", platform);
  const there = { service: "catalog", environment: "production" };
  expect(orThrow(await platform.client.listDeployments({ query: there })).deployments).toHaveLength(1);
  expect(faults).toEqual(["Failed to load resource: net::ERR_CONNECTION_RESET"]);
  faults.length = 0;
}

/** The server does what it is asked for next there, and its answer gets lost on the way. */
async function loseAnswer(page: Visitor["page"], address: string): Promise<void> {
  const lose = async (route: Route) => {
    await route.fetch();
    await route.abort("connectionreset");
  };
  await page.route(address, lose, { times: 1 });
}

/** As somebody on call does it, at night, on a phone. */
export async function rollBack({ page, faults }: Visitor): Promise<void> {
  await page.getByRole("button", { name: "Deploy catalog to test" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Roll back" }).click();
  await dialog.getByText("Rollback to release 1 succeeded", { exact: true }).waitFor(long);
  expect(faults).toEqual([]);
}

/** What the other window says of it. */
export async function seeBack({ page, faults }: Visitor): Promise<void> {
  await cellOf(page, "test").getByRole("link", { name: "release 1", exact: true }).waitFor(long);
  expect(await page.evaluate("window.unchanged")).toBe(true);
  await page.getByRole("link", { name: "catalog" }).click();
  await page.getByText("back to 1").waitFor(patience);
  await go(page, "f", "Fleet");
  expect(faults).toEqual([]);
}

const cellOf = (page: Visitor["page"], environment: string) =>
  page.getByRole("row", { name: /catalog/ }).locator(`[data-environment=${environment}]`);
