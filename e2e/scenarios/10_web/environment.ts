/** What keeps an environment from being as it should, as the page of it tells. */
import { expect } from "vitest";
import type { Platform } from "#testing/platform.ts";
import { until } from "#testing/until.ts";
import { ask } from "../../support/ask.ts";
import { barriersOf, cutOff, desktop, phone } from "../../support/browser.ts";
import { cloneFleet, setEnvironments } from "../../support/fleet.ts";
import { occupied } from "../../support/instances.ts";
import { productsIn } from "./flow.ts";
import { act, confirmed, long, patience, type Visitor } from "./visitor.ts";

const calm = "Nothing waits, nothing drifts, nobody holds it";

/** An instance is removed by hand, and something else keeps its name, so that it cannot be brought back before that is gone. */
export async function seeDrift({ page, faults }: Visitor, platform: Platform): Promise<void> {
  await page.goto(`${platform.url}/environments/test`);
  await page.getByText(calm).waitFor(patience);
  {
    await using name = await occupied(platform, { service: "catalog", environment: "test" });
    await page.getByText(`catalog: ${name.instance} is gone`).waitFor(long);
    await page.getByText("1 on fire").waitFor(patience);
    expect(await barriersOf(page)).toEqual([]);
  }
  await page.getByText(calm).waitFor(long);
  await page.getByText("1 of 1 healthy").waitFor(long);
  expect(faults).toEqual([]);
}

const frozen = `target: docker
watch: 30m
freeze: [{ name: stocktaking, from: 2020-01-01, to: 2090-01-01, reason: the shelves are counted }]
`;

/** Release 1 serves in `test`, and release 2 is on its way until somebody cancels it. */
export async function passFreeze(visitor: Visitor, lead: Visitor, platform: Platform): Promise<void> {
  const { page, faults } = visitor;
  await page.goto(`${platform.url}/?show=catalog/test`);
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("heading", { name: "From release 1 to 2" }).waitFor(patience);
  await lead.page.goto(`${platform.url}/environments/test`);
  await lead.page.getByText(calm).waitFor(patience);
  await setEnvironments(platform, { test: frozen });

  await lead.page.getByText("frozen", { exact: true }).waitFor(patience);
  await lead.page.getByText("Frozen: stocktaking").waitFor(patience);
  await dialog.getByRole("listitem").filter({ hasText: "the freeze stocktaking holds" }).waitFor(patience);
  await dialog.getByRole("button", { name: "Deploy when the gate opens" }).click();
  await dialog.getByText("Release 2 waits").waitFor(patience);

  await lead.page.getByRole("button", { name: "Override stocktaking…" }).click(patience);
  await lead.page.getByLabel("Why it cannot wait").fill("the shop is down");
  expect(await barriersOf(lead.page)).toEqual([]);
  const letPass = lead.page.getByRole("button", { name: "Let it pass stocktaking" });
  await act(() => letPass.click(), lead.page.getByText("1 moving"), long);
  expect(lead.faults).toEqual([]);

  await dialog.getByRole("status").filter({ hasText: "watching" }).waitFor(long);
  await dialog.getByRole("img", { name: "Traffic: 100 % to the new instances" }).waitFor(patience);
  const figure = (name: RegExp) => dialog.getByRole("img", { name });
  await until(
    async () => {
      await ask(platform.httpPort, "catalog.test.localhost");
      return figure(/^Requests, new: (?!0 )/).isVisible();
    },
    { deadlineMs: long.timeout, describe: () => "the requests to the new release are not shown" },
  );
  expect(await figure(/^(Requests|Failed|p95), release 1: /).count()).toBe(3);
  expect(await figure(/^Failed, new: 0 % now/).isVisible()).toBe(true);
  await page.setViewportSize(phone.viewport);
  expect(await cutOff(dialog)).toEqual([]);
  await page.setViewportSize(desktop.viewport);
  await dialog.getByRole("button", { name: "Pause" }).hover();
  await page.getByRole("tooltip").getByText("Its traffic has moved already").waitFor(patience);
  expect(await barriersOf(page)).toEqual([]);
  const cancel = dialog.getByRole("button", { name: "Cancel" });
  await act(() => cancel.click(), dialog.getByText("Release 2 canceled", { exact: true }), long);
  expect(await productsIn("test", platform)).not.toContain("discount");
  expect(faults).toEqual([]);
}

/** The file of production goes, by mistake or not: what serves there is told, and ends only when somebody says so. */
export async function endLeftOver({ page, faults }: Visitor, platform: Platform): Promise<void> {
  await using fleet = await cloneFleet(platform);
  await fleet.git("rm", "--quiet", "environments/production.yml");
  await fleet.push("Production is no more");
  const told = page.getByText("production has no file any more, and catalog serves on there");
  await told.waitFor(patience);
  expect(await productsIn("production", platform)).toContain("discount");
  expect(await barriersOf(page)).toEqual([]);
  await act(confirmed(page, "End production"), told, { state: "detached", ...patience });
  await until(async () => !(await productsIn("production", platform)).includes("discount"), {
    deadlineMs: long.timeout,
  });
  expect(faults).toEqual([]);
}
