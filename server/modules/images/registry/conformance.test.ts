/**
 * The OCI distribution specification 1.1 as a table: what each of its endpoints must do, one test a row, over HTTP. Numbers are
 * those of the specification's own list of endpoints.
 */
import { afterAll, beforeAll, describe, test } from "vitest";
import { openTestRegistry, type OpenTestRegistry } from "#testing/registry.ts";
import { referrerRows, tagRows } from "./test-listing-rows.ts";
import { deletionRows, manifestPushRows } from "./test-manifest-rows.ts";
import { baseRows, blobRows, manifestPullRows } from "./test-pull-rows.ts";
import { chunkRows, mountRows, wholePushRows } from "./test-push-rows.ts";
import type { Rows } from "./test-rows.ts";

const table: Record<string, Rows> = {
  "the base (1)": baseRows,
  "pulling a blob (2)": blobRows,
  "pulling a manifest (3)": manifestPullRows,
  "pushing a blob whole (4a, 4b, 4c, 6)": wholePushRows,
  "pushing a blob by chunks (5, 6, 13, 14)": chunkRows,
  "mounting a blob (11)": mountRows,
  "pushing a manifest (7a, 7b)": manifestPushRows,
  "listing tags (8a, 8b)": tagRows,
  "deleting (9, 10)": deletionRows,
  "listing referrers (12a, 12b)": referrerRows,
};

let opened: OpenTestRegistry;

beforeAll(async () => {
  opened = await openTestRegistry();
});

afterAll(() => opened?.[Symbol.asyncDispose]());

describe.each(Object.entries(table))("%s", (_, rows) => {
  test.each(Object.entries(rows))("%s", (__, proof) => proof({ opened, client: opened.client }));
});
