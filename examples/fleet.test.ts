import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import type { BuildContext } from "#pipeline/build-context.ts";
import { renderFault } from "#pipeline/fault.ts";
import { parseManifest } from "#pipeline/manifest.ts";
import { parsePipeline } from "#pipeline/pipeline-file.ts";
import { planPipeline } from "#pipeline/plan.ts";


const services = ["catalog", "orders", "storefront", "legacy-billing"];

function read(...path: string[]): string {
  return readFileSync(join(import.meta.dirname, ...path), "utf8");
}

function manifestOf(service: string) {
  const { value, errors, warnings } = parseManifest(read(service, "towline.yml"));
  expect([...(errors ?? []), ...warnings].map(renderFault)).toEqual([]);
  if (value === undefined) throw new Error(`${service} has no manifest`);
  return value;
}

function pipelineOf(service: string) {
  const file = ".towline/pipeline.yml";
  const { value, errors, warnings } = parsePipeline({ file, text: read(service, file) });
  expect([...(errors ?? []), ...warnings].map(renderFault)).toEqual([]);
  if (value === undefined) throw new Error(`${service} has no pipeline`);
  return value;
}

describe.each(services)("%s", (service) => {
  test("has a manifest of five to fifteen lines without a fault", () => {
    expect(manifestOf(service).service).toBe(service);
    const lines = read(service, "towline.yml").trimEnd().split("\n").length;
    expect(lines).toBeGreaterThanOrEqual(5);
    expect(lines).toBeLessThanOrEqual(15);
  });

  test("needs only services of the fleet", () => {
    for (const needed of manifestOf(service).needs) expect(services).toContain(needed);
  });

  test("is tested on every branch, and published and deployed from the default branch only", () => {
    expect(stepsOn(service, "feature")).toEqual(["test", "test", "wait"]);
    expect(stepsOn(service, "main")).toEqual(["test", "test", "wait", "publish", "deploy", "block", "deploy"]);
  });

  test("has the Compose services that its pipeline runs, and the files that are read", () => {
    const { steps } = pipelineOf(service);
    for (const step of steps)
      if (step.kind === "test") {
        const compose = parse(read(service, step.compose), { merge: true }) as { services: Record<string, unknown> };
        expect(Object.keys(compose.services)).toContain(step.run);
      }
    for (const file of ["Dockerfile", ".dockerignore", "README.md"])
      expect(existsSync(join(import.meta.dirname, service, file))).toBe(true);
  });
});

function stepsOn(service: string, branch: string): string[] {
  const context: BuildContext = {
    build: { number: 1, branch, commit: "0".repeat(40), message: "", source: "push", env: {} },
    pipeline: { slug: service, defaultBranch: "main" },
  };
  const { steps } = planPipeline(pipelineOf(service), context);
  return steps.filter((step) => step.skipped === undefined).map((step) => step.kind);
}

test("the broken change differs from the catalog's Compose file in nothing but the tax rates", () => {
  const withoutRates = read("changes/catalog-broken/compose.test.yml")
    .split("\n")
    .filter((line) => !line.includes("&rates"))
    .join("\n")
    .replace("<<: *rates, ", "");
  expect(withoutRates).toBe(read("catalog/compose.test.yml"));
});
