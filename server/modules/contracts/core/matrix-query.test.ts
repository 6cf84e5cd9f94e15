import { expect, test } from "vitest";
import { parseMatrixQuery } from "./matrix-query.ts";

test("a repeated key begins the next selector, and unencoded brackets are as good as encoded ones", () => {
  const one =
    "q[][pacticipant]=Foo&q[][version]=1%2B2&q[][pacticipant]=web+app&q[][latest]=true&q[][tag]=main&latestby=cvpv";
  const query = {
    selectors: [
      { pacticipant: "Foo", version: "1+2" },
      { pacticipant: "web app", latest: true, tag: "main" },
    ],
    ...{ target: {}, latestBy: "cvpv", ignore: [] },
  };
  expect(parseMatrixQuery(one)).toEqual({ query });
  expect(parseMatrixQuery(one.replaceAll("[", "%5B").replaceAll("]", "%5D"))).toEqual({ query });
});

test("what clients ask: an environment, a tag, the main branch, with what to ignore", () => {
  const target = (more: string) => {
    const parsed = parseMatrixQuery(`q[][pacticipant]=A&q[][version]=1&${more}`);
    return "query" in parsed ? parsed.query.target : parsed;
  };
  expect(target("environment=prod&latestby=cvp")).toEqual({ environment: "prod" });
  expect(target("tag=prod&latest=true")).toEqual({ tag: "prod", latest: true });
  expect(target("latestby=cvp&latest=true&mainBranch=true")).toEqual({ mainBranch: true });
  expect(
    parseMatrixQuery("q[][pacticipant]=A&ignore[][pacticipant]=B&ignore[][version]=2&ignore[][pacticipant]=C"),
  ).toMatchObject({
    query: { ignore: [{ pacticipant: "B", version: "2" }, { pacticipant: "C" }] },
  });
});

test.each([
  ["", "Please provide 1 or more version selectors."],
  ["q[][version]=1", "Please specify the pacticipant name"],
  [
    "q[][pacticipant]=A&q[][version]=1&q[][latest]=true",
    "A version number and latest flag cannot both be specified for A",
  ],
  ["q[][pacticipant]=A&tag=a&environment=b", "Cannot specify both tag and environment."],
  ["q[][pacticipant]=A&latest=true&environment=b", "Cannot specify both latest=true and an environment."],
  ["q[][pacticipant]=A&ignore[][version]=1", "Please specify the pacticipant name to ignore"],
  ["q[][pacticipant]=A&limit=0", "limit must be a number of 1 or more"],
  [`q[][pacticipant]=A&${"q[][pacticipant]=A&".repeat(101)}`, "At most 100 selectors are answered at a time."],
])("%s is refused: %s", (search, fault) => {
  expect(parseMatrixQuery(search)).toEqual({ faults: [fault] });
});
