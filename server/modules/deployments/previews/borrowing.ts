import type { Database } from "#kernel/database.ts";
import type { EnvironmentFile } from "#pipeline/environment-file.ts";
import { deploymentStore, type Place } from "../store.ts";

/** Where a needed service is asked: where it is needed, but that a pull request borrows what it does not bring. */
export async function placeOfNeed(
  db: Database,
  { name, preview }: Pick<EnvironmentFile, "name" | "preview">,
  service: string,
): Promise<Place> {
  const own = { service, environment: name };
  const isBorrowed = preview && !(await deploymentStore(db).lane(own));
  return isBorrowed ? { service, environment: preview.borrow } : own;
}
