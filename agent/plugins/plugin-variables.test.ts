import { expect, test } from "vitest";
import { pluginVariables } from "./plugin-variables.ts";

test("maps, lists and single values become variables as at Buildkite", () => {
  const config = { run: "app", "pull-retries": 3, config: ["a.yml", "b.yml"], args: [{ A: true }], none: null };
  expect(pluginVariables("docker-compose", config)).toEqual({
    BUILDKITE_PLUGIN_NAME: "DOCKER_COMPOSE",
    BUILDKITE_PLUGIN_CONFIGURATION: JSON.stringify(config),
    BUILDKITE_PLUGIN_DOCKER_COMPOSE_RUN: "app",
    BUILDKITE_PLUGIN_DOCKER_COMPOSE_PULL_RETRIES: "3",
    BUILDKITE_PLUGIN_DOCKER_COMPOSE_CONFIG_0: "a.yml",
    BUILDKITE_PLUGIN_DOCKER_COMPOSE_CONFIG_1: "b.yml",
    BUILDKITE_PLUGIN_DOCKER_COMPOSE_ARGS_0_A: "true",
    BUILDKITE_PLUGIN_DOCKER_COMPOSE_NONE: "",
  });
});

test("a plugin without configuration gets its name alone, and one with a single text that text", () => {
  expect(pluginVariables("llamas", null)).toEqual({
    BUILDKITE_PLUGIN_NAME: "LLAMAS",
    BUILDKITE_PLUGIN_CONFIGURATION: "{}",
  });
  expect(pluginVariables("llamas", "hay")).toMatchObject({ BUILDKITE_PLUGIN_LLAMAS: "hay" });
});
