/** A person comes, and what lets them in goes again. */
import { expect } from "vitest";
import type { Browser } from "playwright-core";
import type { Platform } from "#testing/platform.ts";
import { act, confirmed, go, patience, signedIn } from "./visitor.ts";

export async function addPerson(browser: Browser, platform: Platform): Promise<void> {
  const { page, faults } = await signedIn(browser, { url: platform.url, token: platform.adminToken });
  await go(page, "s", "Settings");
  await page.getByRole("tab", { name: "People" }).click();
  await page.getByRole("textbox", { name: "New person" }).fill("nina");
  await page.getByRole("combobox", { name: "Role", exact: true }).selectOption("analyst");
  const tokens = page.getByRole("dialog", { name: "Tokens of nina" });
  await act(() => page.getByRole("button", { name: "Add" }).click(), tokens);
  await tokens.getByRole("textbox", { name: "New token" }).fill("laptop");
  const made = tokens.getByRole("status");
  await act(() => tokens.getByRole("button", { name: "Make token" }).click(), made);
  const secret = /tw_[\w-]+/.exec(await made.innerText())?.[0] ?? "";
  const own = await signedIn(browser, { url: platform.url, token: secret });
  await own.page.goto(`${platform.url}/settings?view=people`);
  await own.page.getByText("Your role does not show you the people").waitFor(patience);
  await own.page.context().close();

  const row = tokens.getByRole("row", { name: /laptop/ });
  await act(confirmed(page, "Revoke laptop"), row, { state: "detached", ...patience });
  expect((await fetch(`${platform.url}/api/whoami`, { headers: { authorization: `Bearer ${secret}` } })).status).toBe(
    401,
  );
  expect(faults).toEqual([]);
  await page.context().close();
}
