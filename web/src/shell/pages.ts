import {
  IconActivity,
  IconFileCheck,
  IconGitPullRequest,
  IconHammer,
  IconLayoutGrid,
  IconSettings,
  IconStack2,
} from "@tabler/icons-react";

/** The pages that are always at hand, each with the key that goes there after `g`. */
export const pages = [
  { to: "/", label: "Fleet", key: "f", Icon: IconLayoutGrid },
  { to: "/builds", label: "Builds", key: "b", Icon: IconHammer },
  { to: "/pull-requests", label: "Pull requests", key: "p", Icon: IconGitPullRequest },
  { to: "/environments", label: "Environments", key: "e", Icon: IconStack2 },
  { to: "/contracts", label: "Contracts", key: "c", Icon: IconFileCheck },
  { to: "/activity", label: "Activity", key: "a", Icon: IconActivity },
  { to: "/settings", label: "Settings", key: "s", Icon: IconSettings },
] as const;
