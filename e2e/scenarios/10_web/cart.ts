/** The pipelines of a service whose builds have something of everything that a page of them shows. */
const report = `<testsuite name="cart"><testcase name="adds"/>
<testcase name="asks the bank"><flakyFailure message="slow"/></testcase>
<testcase name="takes the voucher off"><failure message="expected 90 to be 80"/></testcase></testsuite>`;
/** The agent writes three lines before it: checkout, image and the command, which must not have the words that are looked for. */
const flood = `seq -f '%07.0f ${"all work and no play ".repeat(20).slice(0, 191)}' 1000000; printf 'the %s in the stack' needle`;

/** A page of a job that would change itself, take over the window around it, and tell another host who reads it. */
const page = `<title>covered</title><p id=said>as written</p><img src=https://elsewhere.example/seen.png>
<script>document.getElementById("said").textContent = "as run"; parent.document.title = "taken over"</script>`;
/** One red point. */
const picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const files = [
  "mkdir kept",
  "echo 'nine of ten lines' > kept/coverage.txt",
  `printf '%s' '${page}' > kept/coverage.html`,
  `printf '%s' ${picture} | base64 -d > kept/point.png`,
  "printf 'not to be shown' > kept/core.bin",
].join("; ");

/** A test that fails and one that wavers, files, a log of 200 MB, a step for which there is no agent, a gate and what is behind it. */
export const cartSteps = [
  { key: "flood", label: "flood", command: flood },
  {
    ...{ key: "unit", label: "unit", plugins: [{ "junit#v1": { files: "r.xml" } }] },
    command: `${files}; printf '%s' '${report.replaceAll("\n", "")}' > r.xml; exit 1`,
    artifact_paths: "kept/*",
  },
  { key: "mac", label: "mac", command: "true", agents: { queue: "mac" } },
  {
    ...{ key: "go", block: "Deploy to production", depends_on: ["flood"] },
    fields: [{ text: "Reason", key: "reason", required: true }],
  },
  { key: "ship", label: "ship", command: "true", depends_on: ["go"] },
];

/** Says a word more as long as nobody ends it. */
export const endless = [
  { key: "talk", label: "talk", command: "n=0; while :; do n=$$((n+1)); echo word $$n; sleep 0.05; done" },
];
