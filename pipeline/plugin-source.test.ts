import { expect, test } from "vitest";
import { parsePluginSource } from "./plugin-source.ts";

test("what the agent does itself is known by its name, with any version, from Buildkite's own repositories alone", () => {
  const known = { kind: "built-in", name: "docker-compose" };
  for (const source of [
    "docker-compose",
    "docker-compose#v5.2.0",
    "buildkite-plugins/docker-compose#v4",
    "https://github.com/buildkite-plugins/docker-compose-buildkite-plugin.git#v4",
  ])
    expect(parsePluginSource(source)).toEqual(known);
  expect(parsePluginSource("acme/docker-compose#v1")).toMatchObject({ kind: "repository" });
});

test("a folder of the repository, a repository of this installation and an address are told apart", () => {
  expect(parsePluginSource("./.buildkite/plugins/llamas")).toEqual({
    ...{ kind: "vendored", name: "llamas", path: ".buildkite/plugins/llamas" },
  });
  const repository = { kind: "repository", name: "llamas", repository: "llamas-buildkite-plugin", ref: "v1.2" };
  expect(parsePluginSource("acme/llamas#v1.2")).toEqual(repository);
  expect(parsePluginSource("llamas#v1.2")).toEqual(repository);
  expect(parsePluginSource("https://git.example.com/x/llamas-buildkite-plugin.git#main")).toEqual({
    ...{ kind: "address", name: "llamas", ref: "main" },
    url: "https://git.example.com/x/llamas-buildkite-plugin.git",
  });
});

test("nothing leads out of the repository, to a file of the machine or into Git's options", () => {
  for (const source of [
    "./../x",
    "./a/../../x",
    "/etc",
    "file:///etc",
    "ssh://git@x/y",
    "git@x:y.git",
    "a#--upload-pack=x",
    "",
    "#v1",
  ])
    expect(parsePluginSource(source), source).toBeUndefined();
});
