import { devNull } from "node:os";

/** Settings of every process; they stand in the environment, so neither a repository nor the machine overrides them. */
const settings: Record<string, string> = {
  "safe.directory": "*",
  "core.fsync": "committed,reference",
  "core.quotePath": "false",
  "protocol.allow": "never",
  "gc.autoDetach": "false",
  "fastimport.unpackLimit": "1",
  "log.mailmap": "false",
  "log.showSignature": "false",
};

/** Settings of `git http-backend` and the programs behind it. */
export function serviceSettings(hooks: string, maxPackBytes: number): Record<string, string> {
  return {
    "core.hooksPath": hooks,
    "http.getanyfile": "false",
    "uploadpack.allowFilter": "true",
    "receive.fsckObjects": "true",
    "receive.maxInputSize": String(maxPackBytes),
    "receive.denyDeleteCurrent": "refuse",
    "receive.autogc": "false",
    // One pack a push: one fsync in place of one an object.
    "receive.unpackLimit": "1",
  };
}

/** The whole environment of a git process: nothing of ours goes to it by itself. */
export function gitEnvironment(more: Record<string, string> = {}, extraSettings: Record<string, string> = {}) {
  const all = Object.entries({ ...settings, ...extraSettings });
  return {
    PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
    HOME: devNull,
    LC_ALL: "C",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: devNull,
    GIT_ATTR_NOSYSTEM: "1",
    GIT_TERMINAL_PROMPT: "0",
    GIT_LITERAL_PATHSPECS: "1",
    GIT_NO_REPLACE_OBJECTS: "1",
    ...more,
    GIT_CONFIG_COUNT: String(all.length),
    ...Object.fromEntries(
      all.flatMap(([key, value], index) => [
        [`GIT_CONFIG_KEY_${index}`, key],
        [`GIT_CONFIG_VALUE_${index}`, value],
      ]),
    ),
  };
}
