import type { CommandRow } from "./command-rows.ts";

/** Machines of a cluster that take traffic besides the one of the server. */
export const ingressRows: readonly CommandRow[] = [
  {
    usage: "ingress create <name>",
    summary: "let one more machine of a swarm take traffic; its token is shown this one time; admins only",
    example: "towline ingress create edge-2",
    load: async () => (await import("./commands/ingress.ts")).createIngress,
  },
  {
    usage: "ingress run",
    summary: "run the load balancer of this machine for a server elsewhere, at TOWLINE_HOST and TOWLINE_HTTP_PORT",
    options: [["--home <folder>", "folder for its configuration"]],
    example: "towline ingress run --url http://10.0.0.1:7300 --token tw_…",
    load: async () => (await import("./commands/ingress.ts")).runIngress,
  },
  {
    usage: "ingress list",
    summary: "list the machines that take traffic besides the one of the server, and how they are",
    example: "towline ingress list",
    load: async () => (await import("./commands/ingress.ts")).listIngresses,
  },
  {
    usage: "ingress remove <name>",
    summary: "take a machine out of the traffic: its load balancer ends, its token too; admins only",
    example: "towline ingress remove edge-2",
    load: async () => (await import("./commands/ingress.ts")).removeIngress,
  },
];
