/** Coming in by name and password. */
import { expect } from "vitest";
import type { Browser, Page } from "playwright-core";
import type { Platform } from "#testing/platform.ts";
import { desktop, openWindow, phone } from "../../support/browser.ts";
import { newPerson } from "../../support/people.ts";
import { act, patience, signedIn } from "./visitor.ts";

const [first, second] = ["given by the admin", "chosen by myself alone"];

export async function changePassword(browser: Browser, platform: Platform): Promise<void> {
  await newPerson(platform, "pia", "analyst");
  const { page: admin } = await signedIn(browser, { url: platform.url, token: platform.adminToken });
  await admin.goto(`${platform.url}/settings?view=people`);
  await admin.getByRole("button", { name: "Password of pia…" }).click();
  const dialog = admin.getByRole("dialog", { name: "Password of pia" });
  await dialog.getByLabel("New password").fill(first);
  const set = dialog.getByRole("button", { name: "Set password" });
  await act(() => set.click(), dialog, { state: "detached", ...patience });
  await admin.context().close();

  const away = await openWindow(browser, phone);
  await away.goto(platform.url);
  await enter(away, second);
  await away.getByRole("alert").getByText("the name or the password is wrong").waitFor(patience);
  await enter(away, first);
  await away.getByRole("heading", { name: "Fleet" }).waitFor(patience);

  const page = await openWindow(browser, desktop);
  await page.goto(platform.url);
  await enter(page, first);
  await page.getByRole("button", { name: /^pia,/ }).click();
  await page.getByRole("menuitem", { name: "Password and tokens" }).click();
  const own = page.getByRole("region", { name: "Password" });
  await own.getByLabel("Password that you have now").fill(first);
  await own.getByLabel("New password").fill("too short");
  await own.getByRole("button", { name: "Set password" }).hover();
  await page.getByText("A password has 12 characters or more.").waitFor(patience);
  await own.getByLabel("New password").fill(second);
  const change = own.getByRole("button", { name: "Set password" });
  await act(() => change.click(), page.getByText("One other browser is signed out."));
  expect(await own.getByLabel("New password").inputValue()).toBe("");
  await page.context().close();

  await away.reload();
  await enter(away, second);
  await away.getByRole("heading", { name: "Fleet" }).waitFor(patience);
  await away.context().close();
}

async function enter(page: Page, password: string): Promise<void> {
  await page.getByLabel("Name").fill("pia");
  await page.getByRole("textbox", { name: "Password" }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}
