/** A pull request of a repository without a service. */
import { expect } from "vitest";
import { orThrow } from "#api/errors.ts";
import type { Platform } from "#testing/platform.ts";
import { barriersOf } from "../../support/browser.ts";
import { checkoutOf } from "../../support/checkout.ts";
import type { Person } from "../../support/people.ts";
import { act, patience, type Visitor } from "./visitor.ts";

/** One that corrects a list. */
export async function openNotes({ url, adminToken, client }: Platform, author: Person): Promise<void> {
  const params = { repository: "notes" };
  orThrow(await client.createRepository({ body: { name: "notes", requireBuild: false } }));
  await using notes = await checkoutOf("probe", { url, token: adminToken, repository: "notes" });
  await notes.write(".gitignore", "*\n!list.txt\n");
  await notes.write("list.txt", "tea\nmilk\n");
  await notes.push("Breakfast");
  await notes.write("list.txt", "tea\ncream\n");
  await notes.push("Cream", "second");
  orThrow(await author.client.openPullRequest({ params, body: { branch: "second", title: "Cream for milk" } }));
}

/** The old beside the new, which a browser remembers. */
export async function seeSplit({ page, faults }: Visitor, url: string): Promise<void> {
  await page.goto(`${url}/pull-requests/notes/1?view=changes`);
  await page.getByRole("radiogroup", { name: "Layout" }).getByText("split").click(patience);
  const line = page.getByRole("group", { name: "Lines of list.txt" }).locator("tr.diff-line");
  await line.nth(1).waitFor(patience);
  const sides = async (row: number) => (await line.nth(row).locator("td").allInnerTexts()).map((cell) => cell.trim());
  expect(await sides(0)).toEqual(["1", "tea", "1", "tea"]);
  expect(await sides(1)).toEqual(["2", "milk", "2", "cream"]);
  expect(await barriersOf(page)).toEqual([]);
  await page.reload();
  await line.nth(1).waitFor(patience);
  expect(await line.nth(1).locator("td").count()).toBe(4);
  expect(faults).toEqual([]);
}

/** On a phone, where there is room for one side alone. */
export async function mergeOnPhone({ page, faults }: Visitor, url: string): Promise<void> {
  const isWide = () => page.evaluate<boolean>("document.documentElement.scrollWidth > window.innerWidth");
  await page.goto(`${url}/pull-requests`);
  await page.getByRole("link", { name: "Cream for milk" }).tap(patience);
  // The reason is for fingers too.
  await page.getByRole("button", { name: "Merge into main" }).tap({ force: true, ...patience });
  await page.getByRole("tooltip").getByText("has 0 of 1 required approvals").waitFor(patience);
  await page.getByRole("tab", { name: /^Changes/ }).tap(patience);
  const lines = page.getByRole("group", { name: "Lines of list.txt" });
  await lines.getByText("cream").waitFor(patience);
  expect(await lines.locator("tr.diff-line").first().locator("td").count()).toBe(3);
  await lines.locator("td.diff-gutter-insert").last().tap();
  await page.getByRole("textbox", { name: "On line 2 of list.txt" }).fill("Whipped?");
  const comment = page.getByRole("button", { name: "Comment", exact: true });
  await act(() => comment.tap(), page.getByRole("article", { name: "Comment by lea" }).getByText("Whipped?"));
  await page.getByRole("button", { name: "Review…" }).tap();
  const word = page.getByRole("textbox", { name: "Your word" });
  await word.fill("Good.");
  const box = await word.boundingBox();
  expect(box && box.x >= 0 && box.x + box.width <= 380).toBe(true);
  expect(await isWide()).toBe(false);
  expect(await barriersOf(page)).toEqual([]);
  const approve = page.getByRole("button", { name: "Approve" });
  await act(() => approve.tap(), approve, { state: "detached", ...patience });
  await page.getByRole("tab", { name: "Overview" }).tap();
  await page.getByText("Nothing stands in the way.").waitFor(patience);
  expect(await isWide()).toBe(false);
  const merge = page.getByRole("button", { name: "Merge into main" });
  await act(() => merge.tap(), page.getByText("Merged by lea"));
  expect(faults).toEqual([]);
}
