import { expect, test } from "vitest";
import { allowedTo } from "./hosts.ts";

test("where nobody says which hosts: every public one, by https", () => {
  expect(allowedTo("https://ci.example.com/x", [])).toEqual({ reach: "public", isNamed: false });
  expect(allowedTo("http://ci.example.com/x", [])).toContain("scheme must be https");
});

test.each([
  ["https://ci.example.com/", ["ci.example.com"], "anywhere"],
  ["https://CI.example.com:8443/", ["ci.example.com"], "anywhere"],
  ["https://a.ci.example.com/", ["*.example.com"], "network"],
  ["https://10.1.2.3/", ["10.0.0.0/8"], "network"],
  ["https://[fd00::1]/", ["fd00::/8"], "network"],
  ["http://ci/", ["http://ci"], "anywhere"],
  ["https://ci/", ["http://ci"], "anywhere"],
])("%s may be called where %s are named", (url, hosts, reach) => {
  expect(allowedTo(url, hosts)).toEqual({ reach, isNamed: true });
});

test.each([
  ["https://other.example.com/", ["ci.example.com"], "TOWLINE_WEBHOOK_HOSTS"],
  ["https://example.com/", ["*.example.com"], "TOWLINE_WEBHOOK_HOSTS"],
  ["https://evilexample.com/", ["*.example.com"], "TOWLINE_WEBHOOK_HOSTS"],
  ["https://11.1.2.3/", ["10.0.0.0/8"], "TOWLINE_WEBHOOK_HOSTS"],
  ["http://ci/", ["ci"], "scheme must be https"],
  ["ftp://ci.example.com/", [], "https://"],
  ["nonsense", [], "https://"],
  ["https://me:pw@ci.example.com/", [], "user"],
  ["https://${pactbroker.consumerName}.example.com/", [], "template parameter in the host"],
  ["https://example.com:${pactbroker.consumerName}/", [], "https://"],
  ["https://${x}/", [], "template parameter in the host"],
])("%s may not be called where %s are named", (url, hosts, reason) => {
  expect(allowedTo(url, hosts)).toContain(reason);
});

test("variables behind the host are allowed", () => {
  expect(allowedTo("https://ci.example.com/${pactbroker.consumerName}?v=${pactbroker.pactUrl}", [])).toMatchObject({
    reach: "public",
  });
});
