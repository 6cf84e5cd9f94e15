/** What HAProxy answers on its sockets, as values. Pure. */

/** The processes of one balancer. */
export interface Processes {
  /** Takes new connections. */
  current: number;
  /** Those before the last reloads that still have connections. */
  old: number[];
  /** How often the master process was told to reload, since it began. */
  reloads: number;
  /** The last reload was refused, the process from before it serves on. */
  refused: boolean;
}

/** A server line of `show servers state`. */
export interface ServerState {
  name: string;
  host: string;
  port: number;
  /** It would get requests, were it ready. */
  up: boolean;
  maint: boolean;
  drain: boolean;
  weight: number;
  /** The last check passed; stale after a change of address until `up`, and false while the next is under way. */
  passed: boolean;
  /** A check is under way. */
  checking: boolean;
}

/** It gets requests. */
export function serves({ up, maint, drain, weight }: ServerState): boolean {
  return up && !maint && !drain && weight > 0;
}

/** A line of `show stat`. */
export interface StatLine {
  /** Name of the server, or `BACKEND`. */
  name: string;
  /** `host:port`; empty for a backend. */
  address: string;
  sessions: number;
  requests: number;
  serverErrors: number;
  connectionErrors: number;
  /** `L7OK`, `L4CON`, …; empty before the first check. */
  check: string;
  /** HTTP status of the check; empty where there was none. */
  checkCode: string;
  checkText: string;
}

/** From `show proc`; nothing when there is no process that takes connections, or the text is not such an answer. */
export function parseProcesses(text: string): Processes | undefined {
  const old: number[] = [];
  let section = "";
  let current: number | undefined;
  for (const line of text.split("\n")) {
    if (line.startsWith("# ")) section = line.slice(2).trim();
    const worker = /^(\d+)\s+worker\s/.exec(line)?.[1];
    if (worker === undefined) continue;
    if (section === "workers") current = Number(worker);
    else if (section === "old workers") old.push(Number(worker));
  }
  const [, reloads, failed] = /^\d+\s+master\s+(\d+)\s+\[failed: (\d+)/m.exec(text) ?? [];
  if (current === undefined || reloads === undefined) return undefined;
  return { current, old, reloads: Number(reloads), refused: failed !== "0" };
}

/** One value of `show info`. */
export function parseInfo(text: string, key: string): string | undefined {
  const line = text.split("\n").find((each) => each.startsWith(`${key}: `));
  return line?.slice(key.length + 2).trim();
}

const flags = { forcedMaint: 0x01, inheritedMaint: 0x02, forcedDrain: 0x08, inheritedDrain: 0x10, noAddress: 0x60 };
const running = "2";
const checkPassed = "3";
const checkInProgress = 0x01;

/** By backend. */
export function parseServers(text: string): Map<string, ServerState[]> {
  const found = new Map<string, ServerState[]>();
  for (const row of rows(text, " ")) {
    const backend = row["be_name"];
    if (backend === undefined) continue;
    const servers = found.get(backend) ?? [];
    servers.push(serverOf(row));
    found.set(backend, servers);
  }
  return found;
}

function serverOf(row: Record<string, string>): ServerState {
  const admin = Number(row["srv_admin_state"]);
  return {
    name: row["srv_name"] ?? "",
    host: row["srv_addr"] ?? "",
    port: Number(row["srv_port"]),
    up: row["srv_op_state"] === running,
    maint: (admin & (flags.forcedMaint | flags.inheritedMaint | flags.noAddress)) !== 0,
    drain: (admin & (flags.forcedDrain | flags.inheritedDrain)) !== 0,
    weight: Number(row["srv_uweight"]),
    passed: row["srv_check_result"] === checkPassed,
    checking: (Number(row["srv_check_state"]) & checkInProgress) !== 0,
  };
}

/** By backend. */
export function parseStats(text: string): Map<string, StatLine[]> {
  const found = new Map<string, StatLine[]>();
  for (const row of rows(text, ",")) {
    const backend = row["pxname"];
    if (backend === undefined) continue;
    const lines = found.get(backend) ?? [];
    lines.push(statOf(row));
    found.set(backend, lines);
  }
  return found;
}

function statOf(row: Record<string, string>): StatLine {
  const sum = (...names: string[]) => names.reduce((total, name) => total + Number(row[name] ?? 0), 0);
  const name = row["svname"] ?? "";
  const answers = sum("hrsp_1xx", "hrsp_2xx", "hrsp_3xx", "hrsp_4xx", "hrsp_5xx", "hrsp_other");
  return {
    name,
    address: row["addr"] ?? "",
    sessions: sum("scur"),
    requests: name === "BACKEND" ? sum("req_tot") : answers + sum("eresp"),
    serverErrors: sum("hrsp_5xx"),
    connectionErrors: sum("econ", "eresp"),
    check: (row["check_status"] ?? "").replace("* ", ""),
    checkCode: row["check_code"] ?? "",
    checkText: row["last_chk"] ?? "",
  };
}

/** HAProxy forgets the code and its own text of a check as soon as the next begins. */
export const isForgotten = (checkCode: string): boolean => checkCode === "0";

/** What the last check found, in a few words. */
export function checkDetail({
  check,
  checkCode,
  checkText,
}: Pick<StatLine, "check" | "checkCode" | "checkText">): string {
  if (check.endsWith("TOUT")) return "timeout";
  if (check === "L4OK") return "connected";
  return (isForgotten(checkCode) ? "" : checkCode) || checkText.toLowerCase() || (checkWords[check] ?? check);
}

const checkWords: Record<string, string> = {
  L4CON: "no connection",
  L6RSP: "no answer that TLS allows",
  L7OK: "answered",
  L7RSP: "no answer that HTTP allows",
  L7STS: "a status that is no success",
  SOCKERR: "no socket for a connection",
};

/** From `show map`: an address in memory, key, value. */
export function parseMap(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, key, value] = /^0x[0-9a-f]+ (\S+) (\S+)$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) found.set(key, value);
  }
  return found;
}

/** A request that ended, as the ring has it. */
export interface RequestLine {
  /** Unique among the requests of a process. */
  id: string;
  backend: string;
  server: string;
  /** Of the answer; -1 where the client went away before. */
  status: number;
  /** Until the server began to answer; -1 where it did not. */
  milliseconds: number;
  /** Seconds since 1970. */
  at: number;
  from: string;
  /** `-` where no server took it. */
  to: string;
}

const requestLine = /^\d+ (\d+) (\S+) (\S+) (-?\d+) (-?\d+) (\d+) (\S+) (\S+)$/;

/** Lines of `log-format`; others, such as notices about servers, are left out. */
export function parseRequests(text: string): RequestLine[] {
  return text.split("\n").flatMap((line) => {
    const [, id = "", backend = "", server = "", status, time, at, from = "", to = ""] = requestLine.exec(line) ?? [];
    if (at === undefined) return [];
    return [{ id, backend, server, status: Number(status), milliseconds: Number(time), at: Number(at), from, to }];
  });
}

/** Lines as records; the line that begins with `# ` has the names. */
function* rows(text: string, separator: "," | " "): Iterable<Record<string, string>> {
  let names: string[] | undefined;
  for (const line of text.split("\n")) {
    if (line.startsWith("# ")) names = line.slice(2).split(separator);
    else if (names && line.includes(separator)) yield record(names, separator === "," ? cells(line) : line.split(" "));
  }
}

function record(names: readonly string[], values: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? ""]));
}

/** Cells of a line of CSV. */
function cells(line: string): string[] {
  return [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, cell = ""]) =>
    cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell,
  );
}
