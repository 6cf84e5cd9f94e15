/** The pipeline of a service whose build has something of everything that a page of it shows. */
const report = `<testsuite name="cart"><testcase name="adds"/>
<testcase name="asks the bank"><flakyFailure message="slow"/></testcase>
<testcase name="takes the voucher off"><failure message="expected 90 to be 80"/></testcase></testsuite>`;
/** The agent writes three lines before it: checkout, image and the command, which must not have the words that are looked for. */
const flood = `seq -f '%07.0f ${"all work and no play ".repeat(20).slice(0, 191)}' 1000000; printf 'the %s in the stack' needle`;
/** A test that fails and one that wavers, a log of 200 MB, a step for which there is no agent, a gate and what is behind it. */
export const cartSteps = [
  { key: "flood", label: "flood", command: flood },
  {
    ...{ key: "unit", label: "unit", plugins: [{ "junit#v1": { files: "r.xml" } }] },
    command: `printf '%s' '${report.replaceAll("\n", "")}' > r.xml; exit 1`,
  },
  { key: "mac", label: "mac", command: "true", agents: { queue: "mac" } },
  {
    ...{ key: "go", block: "Deploy to production", depends_on: ["flood"] },
    fields: [{ text: "Reason", key: "reason", required: true }],
  },
  { key: "ship", label: "ship", command: "true", depends_on: ["go"] },
];
