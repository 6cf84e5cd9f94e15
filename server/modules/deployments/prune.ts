import { RuntimeError } from "#drivers/runtime/contract.ts";
import type { DeploymentsDeps } from "./deps.ts";
import { deploymentStore } from "./store.ts";

/** Releases of each environment that can be gone back to without the registry. */
const keptReleases = 5;

/** Removes images of a service that deployments brought onto the host and that no release to go back to needs. */
export async function pruneImages(
  { db, runtime, log }: Pick<DeploymentsDeps, "db" | "runtime" | "log">,
  service: string,
) {
  const store = deploymentStore(db);
  const pulled = await store.pulledImages(service);
  const needed = await store.neededDigests(service, keptReleases);
  for (const { image } of pulled.filter(({ digest }) => !needed.has(digest))) {
    try {
      await runtime.removeImage(image);
      await store.deletePulledImage(image);
    } catch (error) {
      // The next deployment that ends tries again.
      if (!(error instanceof RuntimeError)) throw error;
      log.info({ err: error, image }, "an old image stays on the host for now");
    }
  }
}
