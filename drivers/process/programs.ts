import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** The folders of `PATH`, in their order. */
export const searchPath = (): string[] =>
  (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");

/** Full paths of a program in these folders, in their order, each once. */
export async function programsIn(folders: readonly string[], name: string): Promise<string[]> {
  const paths = [...new Set(folders)].map((folder) => join(folder, name));
  const runs = await Promise.all(
    paths.map((path) =>
      access(path, constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.filter((_, at) => runs[at]);
}
