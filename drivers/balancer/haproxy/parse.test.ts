import { describe, expect, test } from "vitest";
import { checkDetail, parseInfo, parseProcesses, parseRequests, parseServers, parseStats } from "./parse.ts";

/** As HAProxy 2.6.12 wrote them. */
const processes = `#<PID>          <type>          <reloads>       <uptime>        <version>      
11757           master          10 [failed: 0]  0d00h18m46s     2.6.12-1+deb12u4
# workers
5556            worker          0               0d00h00m02s     2.6.12-1+deb12u4
# old workers
17165           worker          1               0d00h02m05s     2.6.12-1+deb12u4
# programs

`;

const servers = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port
4 route_a 1 s0 127.0.0.1 2 0 100 100 1 15 3 3 6 0 0 0 - 19001 - 0 0 - - 0
4 route_a 2 s1 0.0.0.0 0 5 100 100 1 1 0 0 14 0 0 0 - 1 - 0 0 - - 0
4 route_a 3 s2 127.0.0.1 0 12 50 100 1 8 2 0 7 0 0 0 - 19002 - 0 0 - - 0

`;

describe("what HAProxy answers", () => {
  test("are processes, old and new", () => {
    expect(parseProcesses(processes)).toEqual({ current: 5556, old: [17165], reloads: 10, refused: false });
    expect(parseProcesses(processes.replace("failed: 0", "failed: 1"))?.refused).toBe(true);
    expect(parseProcesses("")).toBeUndefined();
    expect(parseProcesses("Unknown command")).toBeUndefined();
  });

  test("is a value of its information", () => {
    expect(parseInfo("Name: HAProxy\ndescription: abc\nStopping: 1\n", "Stopping")).toBe("1");
    expect(parseInfo("Name: HAProxy\n", "Stopping")).toBeUndefined();
  });

  test("are servers with state, address and check", () => {
    const [up, off, down] = parseServers(servers).get("route_a") ?? [];
    expect(up).toEqual({
      name: "s0",
      host: "127.0.0.1",
      port: 19001,
      up: true,
      maint: false,
      drain: false,
      weight: 100,
      passed: true,
      checking: false,
    });
    expect(off).toMatchObject({ host: "0.0.0.0", port: 1, up: false, maint: true, drain: false });
    expect(down).toMatchObject({ up: false, maint: false, drain: true, weight: 50, passed: false, checking: true });
    expect(parseServers("Can't find backend.\n\n").size).toBe(0);
  });

  test("are counters, also when a cell has commas and quotes", () => {
    const text = [
      "# pxname,svname,scur,econ,eresp,check_status,check_code,last_chk,addr,hrsp_2xx,hrsp_5xx,req_tot,",
      'route_a,s0,2,1,3,* L7STS,503,"a ""b"", c",10.0.0.1:80,10,4,,',
      "route_a,BACKEND,2,1,3,,,,,10,5,16,",
      "",
    ].join("\n");
    const [server, backend] = parseStats(text).get("route_a") ?? [];
    expect(server).toEqual({
      name: "s0",
      address: "10.0.0.1:80",
      sessions: 2,
      requests: 17,
      serverErrors: 4,
      connectionErrors: 4,
      check: "L7STS",
      checkCode: "503",
      checkText: 'a "b", c',
    });
    expect(backend).toMatchObject({ name: "BACKEND", requests: 16, serverErrors: 5 });
    expect(parseStats("No such proxy.\n\n").size).toBe(0);
  });
});

test("a check is told in words, also while the next is under way and HAProxy has forgotten its text", () => {
  const detail = (check: string, checkCode = "", checkText = "") => checkDetail({ check, checkCode, checkText });
  expect(detail("L4CON", "", "Connection refused")).toBe("connection refused");
  expect(detail("L4CON")).toBe("no connection");
  expect(detail("L4TOUT")).toBe("timeout");
  expect(detail("L7STS", "503", "Service Unavailable")).toBe("503");
  expect(detail("L4OK", "", "")).toBe("connected");
  expect([detail("L7STS", "0"), detail("L7OK", "0")]).toEqual(["a status that is no success", "answered"]);
});

test("requests that ended are lines of their own, with who asked and who answered", () => {
  const text = [
    "12 481 route_orders.test s0 200 13 1764342000 172.20.0.5 172.20.0.9",
    "12 482 route_orders.test <NOSRV> 503 -1 1764342001 172.20.0.1 -",
    "Server route_orders.test/s0 is UP",
  ].join("\n");
  const usual = { backend: "route_orders.test" };
  expect(parseRequests(text)).toEqual([
    {
      ...usual,
      id: "481",
      server: "s0",
      status: 200,
      milliseconds: 13,
      at: 1764342000,
      from: "172.20.0.5",
      to: "172.20.0.9",
    },
    {
      ...usual,
      id: "482",
      server: "<NOSRV>",
      status: 503,
      milliseconds: -1,
      at: 1764342001,
      from: "172.20.0.1",
      to: "-",
    },
  ]);
});
