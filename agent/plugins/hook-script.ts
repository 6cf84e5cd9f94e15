import { quote, takeUpChanges } from "../command-script.ts";

/**
 * The shell script that runs a job with hooks, in the order and with the effects that Buildkite's agent gives them: what a hook
 * exports, and the folder it goes to, holds for the hooks after it and for the command; its `set -e` and its `exit` do not.
 */
export interface HookedPlugin {
  name: string;
  /** Folder of its hooks, as the container sees it. */
  hooks: string;
  variables: Readonly<Record<string, string>>;
}

export interface HookPlan {
  /** The checkout, as the container sees it. */
  folder: string;
  /** Where the commands begin. */
  begin: string;
  /** A folder of the agent's own, as the container sees it. */
  own: string;
  plugins: readonly HookedPlugin[];
  /** Shell line that runs the step's own commands; it serves where no hook takes their place. */
  command: string;
  /** Whether a plugin has a `command` hook, which then takes the place of the step's own. */
  replaced: boolean;
}

/** `whole` has the command in it. The others are around one that runs elsewhere; `after` gets its exit status as `statusVariable`. */
export const hookParts = ["whole", "before", "after", "exit"] as const;
export type HookPart = (typeof hookParts)[number];

export const statusVariable = "BUILDKITE_COMMAND_EXIT_STATUS";
/** Below the folder of the agent's own: the variables after the hooks before the command, each ended by a zero byte. */
export const environmentFile = "environment";

export function hookScript(plan: HookPlan, part: HookPart): string {
  return [prelude(plan), ...plan.plugins.map(pluginFunction), ...functionsOf(plan), mainOf(plan, part)].join("\n");
}

/** `errexit` of a hook would be ignored in a condition, so each runs as a plain command whose status is looked at afterwards. */
const prelude = ({ own }: HookPlan) => `
tw_own=${quote(own)}
tw_hook() {
  [ -f "$3" ] || return 0
  ${takeUpChanges}
  export tw_changes
  printf '~~~ %s: %s hook\\n' "$1" "$2"
  rm -f "$tw_own/exported" "$tw_own/folder"
  tw_line=
  IFS= read -r tw_line < "$3"
  case "$tw_line" in
    '#!'*sh|'#!'*sh' '*|[!#]*|''|'#'[!!]*|'#')
      (
        . "$3"
        tw_code=$?
        if [ -n "\${BASH_VERSION:-}" ]; then set -o posix; fi
        export -p > "$tw_own/exported"
        pwd > "$tw_own/folder"
        exit $tw_code
      )
      ;;
    *) "$3" ;;
  esac
  tw_code=$?
  if [ -f "$tw_own/exported" ]; then . "$tw_own/exported" 2>/dev/null; fi
  if [ -f "$tw_own/folder" ]; then cd "$(cat "$tw_own/folder")"; fi
  BUILDKITE_LAST_HOOK_EXIT_STATUS=$tw_code
  export BUILDKITE_LAST_HOOK_EXIT_STATUS
  if [ $tw_code -ne 0 ]; then printf '^^^ the %s hook of %s ended with %s\\n' "$2" "$1" "$tw_code"; fi
  return $tw_code
}`;

function pluginFunction({ name, hooks, variables }: HookedPlugin, index: number): string {
  const exports = Object.entries(variables).map(([variable, value]) => `  export ${variable}=${quote(value)}`);
  return [`tw_plugin_${index}() {`, ...exports, `  tw_hook ${quote(name)} "$1" ${quote(hooks)}/"$1"`, "}"].join("\n");
}

/** In the order of Buildkite: first the hook of the repository, then those of the plugins. */
function functionsOf({ folder, plugins, command, replaced }: HookPlan): string[] {
  const own = (phase: string) => `tw_hook repository ${phase} ${quote(`${folder}/.buildkite/hooks/${phase}`)}`;
  const ofPlugins = (phase: string) => plugins.map((_, index) => `tw_plugin_${index} ${phase}`);
  const all = (phase: string) => [own(phase), ...ofPlugins(phase)];
  const ownCommand = `if [ -f ${quote(`${folder}/.buildkite/hooks/command`)} ]; then ${own("command")}; else ${command}; fi`;
  return [
    inTurn("tw_before", [...ofPlugins("environment"), ...all("post-checkout"), ...all("pre-command")]),
    inTurn("tw_command", replaced ? ofPlugins("command") : [ownCommand]),
    inTurn("tw_after", all("post-command")),
    inTurn("tw_exit", all("pre-exit")),
  ];
}

/** The first that fails ends it, with its status. */
function inTurn(name: string, calls: readonly string[]): string {
  const lines = calls.map((call) => `  ${call}\n  tw_code=$?\n  [ $tw_code -eq 0 ] || return $tw_code`);
  return [`${name}() {`, ...lines, "  return 0", "}"].join("\n");
}

const keepFirst = "tw_code=$?\n[ $tw_status -ne 0 ] || tw_status=$tw_code";
const commandEnded = `${statusVariable}=$tw_status\nexport ${statusVariable}`;
const leave = `tw_exit\n${keepFirst}\nexit $tw_status`;

function mainOf(plan: HookPlan, part: HookPart): string {
  const begin = `cd ${quote(plan.begin)}`;
  if (part === "before")
    return `${begin}\ntw_before\ntw_status=$?\n${takeUpChanges}\nunset tw_changes\nenv -0 > "$tw_own/${environmentFile}"\nexit $tw_status`;
  if (part === "exit") return `${begin}\ntw_status=0\n${leave}`;
  if (part === "whole")
    return `${begin}\ntw_before\ntw_status=$?\nif [ $tw_status -eq 0 ]; then\n  tw_command\n  tw_status=$?\n${commandEnded}\n  tw_after\n${keepFirst}\nfi\n${leave}`;
  return `${begin}\ntw_status=0\ntw_after\n${keepFirst}\n${leave}`;
}
