import { refuse, type Refusal } from "#api/errors.ts";
import {
  inFolder,
  manifestName,
  mostServices,
  readServices,
  type RepositoryService,
  serviceFolders,
} from "#pipeline/services.ts";
import type { Source } from "#source";

/**
 * The services of a revision: one at the root of the repository, or those in folders below it; none where no manifest is. Throws as
 * `readFile` does. Repositories with a manifest at the root cost one question to Git, all others two or three.
 */
export async function servicesAt(
  source: Pick<Source, "readFile" | "findFiles">,
  repository: string,
  revision: string,
): Promise<RepositoryService[] | Refusal> {
  const root = await source.readFile(repository, revision, manifestName);
  if (root !== undefined) return readServices([{ folder: "", text: root }]);
  const paths = await source.findFiles(repository, revision, manifestName);
  const folders = paths && serviceFolders(paths);
  if (!folders || folders.length > mostServices)
    return refuse("limit.reached", `${repository} has more than ${mostServices} services, which is the most`);
  const texts = await Promise.all(
    folders.map(async (folder) => ({
      folder,
      text: (await source.readFile(repository, revision, inFolder(folder, manifestName))) ?? "",
    })),
  );
  return readServices(texts);
}
