/** The tool's binary, made from `tool.c` on the machine of the agent: static, so that it runs in every image. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, link, mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const source = fileURLToPath(new URL("tool.c", import.meta.url));

/** The names under which jobs call it. */
export const toolNames = ["towline-agent", "buildkite-agent"] as const;
/** The first that is here and can link statically. */
const compilers = ["musl-gcc", "cc", "gcc", "clang"];
const flags = ["-std=c11", "-Os", "-static", "-s"];
const compileMs = 60_000;

/** Folder that holds the tool under both names, made once for each version of it; or why there is none, as a sentence. */
export async function prepareTool(home: string): Promise<{ folder: string } | { missing: string }> {
  const text = await readFile(source);
  const version = createHash("sha256").update(text).update(process.arch).digest("hex").slice(0, 16);
  const folder = join(home, "tool", version);
  if (await exists(join(folder, toolNames[1]))) return { folder };
  const made = `${folder}.${process.pid}.new`;
  await mkdir(made, { recursive: true, mode: 0o755 });
  try {
    const problem = await compile(join(made, toolNames[0]));
    if (problem) return { missing: problem };
    await link(join(made, toolNames[0]), join(made, toolNames[1])).catch(() =>
      copyFile(join(made, toolNames[0]), join(made, toolNames[1])),
    );
    await rm(folder, { recursive: true, force: true });
    await rename(made, folder);
    return { folder };
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

/** Undefined, or why no compiler could make it. */
async function compile(to: string): Promise<string | undefined> {
  const problems: string[] = [];
  for (const compiler of compilers) {
    try {
      await run(compiler, [...flags, "-o", to, source], { timeout: compileMs });
      return undefined;
    } catch (error) {
      const { code, stderr = "" } = error as { code?: unknown; stderr?: string };
      if (code !== "ENOENT") problems.push(`${compiler}: ${stderr.trim().split("\n").at(-1) ?? "failed"}`);
    }
  }
  return problems.length > 0
    ? `no compiler here makes a static program (${problems.join("; ")})`
    : `there is no C compiler (${compilers.join(", ")})`;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
