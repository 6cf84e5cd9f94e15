/** What the page of a release says of its signature while that is made, and when it cannot be. */
import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import { orThrow } from "#api/errors.ts";
import type { Platform } from "#testing/platform.ts";
import { barriersOf } from "../../support/browser.ts";
import { removeSignature } from "../../support/remove-signature.ts";
import { act, long, patience, type Visitor } from "./visitor.ts";

/** The signature of release 1 of the catalog is taken away; its last layer, which is to be read to sign it, is away for a while. */
export async function signAgain({ page, faults }: Visitor, platform: Platform): Promise<void> {
  const params = { service: "catalog", number: 1 };
  const { digest, image, layers } = orThrow(await platform.client.showReleaseImage({ params, query: {} }));
  await page.goto(`${platform.url}/services/catalog/releases/1`);
  await page.getByText("Verified: the signature holds").waitFor(patience);
  await removeSignature({ url: platform.url, token: platform.adminToken }, image, digest);
  await page.getByText("The signature does not hold").waitFor(patience);
  const sign = page.getByRole("button", { name: "Sign it now" });

  const layer = fileOf(platform, layers.at(-1)?.digest ?? "");
  await rename(layer, `${layer}.away`);
  // A folder cannot be read, for which the server thinks the disk to blame: it tries again.
  await mkdir(layer);
  await act(() => sign.click(), page.getByText("Being signed"));
  expect(await sign.count()).toBe(0);
  await rm(layer, { recursive: true });
  await page.getByText("It could not be signed").waitFor(long);
  expect(await page.getByText("its content is missing in the store of blobs").isVisible()).toBe(true);
  expect(await barriersOf(page)).toEqual([]);
  await rename(`${layer}.away`, layer);
  await act(() => sign.click(), page.getByText("Verified: the signature holds"), long);
  expect(faults).toEqual([]);
}

const fileOf = ({ home }: Platform, digest: string) => {
  const [algorithm = "", hex = ""] = digest.split(":");
  return join(home, "blobs", algorithm, hex.slice(0, 2), hex);
};
