/** JUnit XML as its writers write it: a small sample of each, in our own words, and what is read of it. */
import { expect, test } from "vitest";
import { parseReport, type TestCase } from "./parse-report.ts";

/** `✗ scope | name 120ms ~2 "message"` */
function brief({ scope, name, outcome, ms, retries, flaky, message }: TestCase): string {
  const mark = { passed: "✓", failed: "✗", error: "!", skipped: "−" }[outcome];
  const more = [ms === undefined ? "" : ` ${ms}ms`, flaky ? " flaky" : "", retries > 0 ? ` ~${retries}` : ""].join("");
  return `${mark} ${scope} | ${name}${more}${message ? ` "${message}"` : ""}`;
}

const samples: Record<string, [xml: string, read: string[]]> = {
  "Surefire, with reruns": [
    `<?xml version="1.0" encoding="UTF-8"?>
<testsuite xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" name="shop.CartTest" time="1,204.5" tests="4">
  <properties><property name="java.version" value="21"/></properties>
  <testcase name="adds" classname="shop.CartTest" time="1,200.25"/>
  <testcase name="removes" classname="shop.CartTest" time="0.01">
    <failure message="expected: &lt;1&gt; but was: &lt;2&gt;" type="AssertionFailedError"><![CDATA[at shop.CartTest.removes(CartTest.java:20)]]></failure>
    <rerunFailure message="again" type="AssertionFailedError"><stackTrace><![CDATA[at x]]></stackTrace></rerunFailure>
  </testcase>
  <testcase name="empties" classname="shop.CartTest" time="0.02">
    <flakyFailure message="timeout" type="java.util.concurrent.TimeoutException"><stackTrace>at y</stackTrace></flakyFailure>
  </testcase>
  <testcase name="later" classname="shop.CartTest" time="0"><skipped message="not yet"/></testcase>
</testsuite>`,
    [
      "✓ shop.CartTest | adds 1200250ms",
      '✗ shop.CartTest | removes 10ms ~1 "expected: <1> but was: <2>"',
      '✓ shop.CartTest | empties 20ms flaky ~1 "timeout"',
      '− shop.CartTest | later 0ms "not yet"',
    ],
  ],
  Gradle: [
    `<testsuite name="com.acme.PriceTest" tests="2" hostname="ci" time="0.05">
  <properties/>
  <testcase name="rounds(BigDecimal)[1]" classname="com.acme.PriceTest" time="0.031"/>
  <testcase name="taxes()" classname="com.acme.PriceTest" time="0.004"><error message="java.lang.NullPointerException" type="java.lang.NullPointerException">java.lang.NullPointerException
	at com.acme.Price.tax(Price.java:7)</error></testcase>
  <system-out><![CDATA[--- a line ]]]]><![CDATA[> of output]]></system-out><system-err/>
</testsuite>`,
    [
      "✓ com.acme.PriceTest | rounds(BigDecimal)[1] 31ms",
      '! com.acme.PriceTest | taxes() 4ms "java.lang.NullPointerException"',
    ],
  ],
  pytest: [
    `<?xml version="1.0" encoding="utf-8"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4" time="0.123" timestamp="2026-01-05T12:00:00" hostname="box"><testcase classname="tests.test_cart.TestCart" name="test_adds[1-2]" time="0.001" /><testcase classname="tests.test_cart" name="test_fails" time="0.002"><failure message="assert 1 == 2">def test_fails():
&gt;       assert 1 == 2
E       assert 1 == 2</failure></testcase><testcase classname="tests.test_cart" name="test_skip" time="0"><skipped type="pytest.skip" message="no database">/x/test_cart.py:9: no database</skipped></testcase><testcase classname="" name="tests.test_broken" time="0"><error message="collection failure">ImportError</error></testcase></testsuite></testsuites>`,
    [
      "✓ tests.test_cart.TestCart | test_adds[1-2] 1ms",
      '✗ tests.test_cart | test_fails 2ms "assert 1 == 2"',
      '− tests.test_cart | test_skip 0ms "no database"',
      '! pytest | tests.test_broken 0ms "collection failure"',
    ],
  ],
  unittest: [
    `<testsuite name="orders"><testcase classname="test.unit.test_app.App" name="test_orders" time="0.010" /><testcase name="setUpClass (test.unit.Db)"><error message="refused">Traceback</error></testcase></testsuite>`,
    ["✓ test.unit.test_app.App | test_orders 10ms", '! orders | setUpClass (test.unit.Db) "refused"'],
  ],
  "jest-junit": [
    `<testsuites name="jest tests" tests="2" failures="1" time="1.5"><testsuite name="cart" errors="0" failures="1" timestamp="2026-01-05T12:00:00" time="1.1" tests="2">
<testcase classname="cart adds an item" name="cart adds an item" time="0.004"></testcase>
<testcase classname="cart totals" name="totals" time="0.005"><failure>Error: expect(received).toBe(expected)

Expected: 2</failure></testcase></testsuite></testsuites>`,
    ["✓ cart | cart adds an item 4ms", '✗ cart totals | totals 5ms "Error: expect(received).toBe(expected)"'],
  ],
  Vitest: [
    `<testsuites name="vitest tests" tests="2" failures="0" errors="0" time="0.4"><testsuite name="src/cart.test.ts" hostname="box" tests="2" time="0.002"><testcase classname="src/cart.test.ts" name="cart &gt; adds" time="0.0012"></testcase><testcase classname="src/cart.test.ts" name="cart &gt; todo" time="0"><skipped/></testcase></testsuite></testsuites>`,
    ["✓ src/cart.test.ts | cart > adds 1ms", "− src/cart.test.ts | cart > todo 0ms"],
  ],
  "mocha-junit-reporter": [
    `<testsuites name="Mocha Tests" time="0.1" tests="2" failures="1"><testsuite name="Root Suite" tests="0"></testsuite><testsuite name="Cart" file="/w/test/cart.js" tests="2"><testcase name="Cart adds" time="0.002" classname="adds"></testcase><testcase name="Cart fails" time="0.003" classname="fails"><failure message="no" type="AssertionError"><![CDATA[AssertionError: no]]></failure></testcase></testsuite></testsuites>`,
    ["✓ adds | Cart adds 2ms", '✗ fails | Cart fails 3ms "no"'],
  ],
  "mocha xunit": [
    `<testsuite name="Mocha Tests" tests="2" failures="0" errors="1" skipped="1" time="0.01"><testcase classname="Cart" name="adds" time="0.001"/><testcase classname="Cart" name="later" time="0"><skipped/></testcase></testsuite>`,
    ["✓ Cart | adds 1ms", "− Cart | later 0ms"],
  ],
  "Node's own": [
    `<?xml version="1.0" encoding="utf-8"?>
<testsuites>
	<testsuite name="cart" time="0.01" disabled="0" errors="0" tests="2" failures="1" skipped="0" hostname="box">
		<testcase name="adds" time="0.001" classname="test" file="/app/test/cart.test.js"/>
		<testcase name="fails" time="0.002" classname="test" file="/app/test/cart.test.js" failure="no">
			<failure type="testCodeFailure" message="no">[Error [ERR_TEST_FAILURE]: no]</failure>
		</testcase>
		<testsuite name="deeper"><testcase name="adds" time="0.003" classname="test"/></testsuite>
	</testsuite>
	<testcase name="alone" time="0.004" classname="test" file="/app/test/alone.test.js"/>
	<!-- tests 4 -->
</testsuites>`,
    [
      "✓ cart | adds 1ms",
      '✗ cart | fails 2ms "no"',
      "✓ cart › deeper | adds 3ms",
      "✓ /app/test/alone.test.js | alone 4ms",
    ],
  ],
  Playwright: [
    `<testsuites id="" name="" tests="2"><testsuite name="cart.spec.ts" timestamp="2026-01-05T12:00:00.000Z" hostname="chromium" tests="2"><testcase name="cart › adds" classname="cart.spec.ts" time="1.234"><properties><property name="annotation" value="x"></property></properties></testcase><testcase name="cart › buys" classname="cart.spec.ts" time="5"><failure message="cart.spec.ts:9:5 buys" type="FAILURE"><![CDATA[  [chromium] › cart.spec.ts:9:5]]></failure><system-out><![CDATA[[[ATTACHMENT|a.png]]]]></system-out></testcase></testsuite></testsuites>`,
    ["✓ cart.spec.ts | cart › adds 1234ms", '✗ cart.spec.ts | cart › buys 5000ms "cart.spec.ts:9:5 buys"'],
  ],
  Cypress: [
    `<testsuites name="Mocha Tests"><testsuite name="Root Suite" file="cypress/e2e/cart.cy.js"/><testsuite name="cart"><testcase name="cart adds" time="0.1" classname="adds"/></testsuite></testsuites>`,
    ["✓ adds | cart adds 100ms"],
  ],
  Karma: [
    `<testsuite name="Chrome 140.0" package="" timestamp="2026-01-05T12:00:00" id="0" hostname="box" tests="2"><properties><property name="browser.fullName" value="x"/></properties><testcase name="Cart adds" time="0.004" classname="Chrome 140_0.Cart"/><testcase name="Cart later" time="0" classname="Chrome 140_0.Cart"><skipped/></testcase><system-out><![CDATA[]]></system-out></testsuite>`,
    ["✓ Chrome 140_0.Cart | Cart adds 4ms", "− Chrome 140_0.Cart | Cart later 0ms"],
  ],
  "go-junit-report": [
    `<testsuites tests="3" failures="1"><testsuite name="acme/cart" tests="3" failures="1" errors="0" id="0" hostname="box" skipped="1" time="0.010"><properties><property name="go.version" value="go1.24"></property></properties><testcase name="TestAdd" classname="acme/cart" time="0.000"></testcase><testcase name="TestAdd/two" classname="acme/cart" time="0.010"><failure message="Failed"><![CDATA[    cart_test.go:9: got 3]]></failure></testcase><testcase name="TestLater" classname="acme/cart" time="0.000"><skipped message="cart_test.go:20: later"></skipped></testcase></testsuite></testsuites>`,
    [
      "✓ acme/cart | TestAdd 0ms",
      '✗ acme/cart | TestAdd/two 10ms "Failed"',
      '− acme/cart | TestLater 0ms "cart_test.go:20: later"',
    ],
  ],
  gotestsum: [
    `<testsuites tests="1" failures="0" errors="0" time="0.3"><testsuite tests="1" failures="0" time="0.000000" name="acme/cart" timestamp="2026-01-05T12:00:00Z"><testcase classname="acme/cart" name="TestMain" time="0.000000"></testcase></testsuite></testsuites>`,
    ["✓ acme/cart | TestMain 0ms"],
  ],
  "cargo-nextest": [
    `<testsuites name="nextest-run" tests="2" failures="1" errors="0" uuid="1" timestamp="2026-01-05T12:00:00.000+00:00" time="0.1"><testsuite name="cart" tests="2" disabled="0" errors="0" failures="1"><testcase name="tests::adds" classname="cart" timestamp="2026-01-05T12:00:00.000+00:00" time="0.005"><flakyFailure timestamp="2026-01-05T12:00:00.000+00:00" time="0.1" message="thread panicked" type="test failure with exit code 101">thread 'tests::adds' panicked<system-out>running 1 test</system-out></flakyFailure></testcase><testcase name="tests::fails" classname="cart" time="0.006"><failure message="thread 'tests::fails' panicked at src/lib.rs:9" type="test failure with exit code 101">thread</failure><rerunFailure message="x" type="t">y</rerunFailure><rerunFailure message="x" type="t">y</rerunFailure></testcase></testsuite></testsuites>`,
    [
      '✓ cart | tests::adds 5ms flaky ~1 "thread panicked"',
      `✗ cart | tests::fails 6ms ~2 "thread 'tests::fails' panicked at src/lib.rs:9"`,
    ],
  ],
  RSpec: [
    `<?xml version="1.0" encoding="UTF-8"?><testsuite name="rspec" tests="2" skipped="1" failures="1" errors="0" time="0.01"><properties><property name="seed" value="1"/></properties><testcase classname="spec.models.cart_spec" name="Cart adds" file="./spec/models/cart_spec.rb" time="0.001"></testcase><testcase classname="spec.models.cart_spec" name="Cart fails" file="./spec/models/cart_spec.rb" time="0.002"><failure message="expected: 1" type="RSpec::Expectations::ExpectationNotMetError">Failure/Error: x</failure></testcase></testsuite>`,
    ["✓ spec.models.cart_spec | Cart adds 1ms", '✗ spec.models.cart_spec | Cart fails 2ms "expected: 1"'],
  ],
  Minitest: [
    `<testsuites><testsuite name="CartTest" filepath="test/cart_test.rb" skipped="0" failures="1" errors="0" tests="2" assertions="2" time="0.001"><testcase name="test_adds" lineno="5" classname="CartTest" assertions="1" time="0.0004" file="test/cart_test.rb"></testcase><testcase name="test_fails" lineno="9" classname="CartTest" time="0.0005" file="test/cart_test.rb"><failure type="test_fails" message="Expected: 1
  Actual: 2">Failure:</failure></testcase></testsuite></testsuites>`,
    ["✓ CartTest | test_adds 0ms", '✗ CartTest | test_fails 1ms "Expected: 1   Actual: 2"'],
  ],
  PHPUnit: [
    `<testsuites><testsuite name="/app/phpunit.xml" tests="2" assertions="2" errors="0" failures="1" skipped="0" time="0.01"><testsuite name="unit" tests="2"><testsuite name="Tests\\CartTest" file="/app/tests/CartTest.php" tests="2"><testcase name="testAdds with data set &quot;one&quot;" class="Tests\\CartTest" classname="Tests.CartTest" file="/app/tests/CartTest.php" line="12" assertions="1" time="0.003"/><testcase name="testFails" class="Tests\\CartTest" classname="Tests.CartTest" file="/app/tests/CartTest.php" line="20" time="0.001"><failure type="PHPUnit\\Framework\\ExpectationFailedException">Tests\\CartTest::testFails
Failed asserting that 2 matches expected 1.</failure></testcase></testsuite></testsuite></testsuite></testsuites>`,
    [
      '✓ Tests.CartTest | testAdds with data set "one" 3ms',
      '✗ Tests.CartTest | testFails 1ms "Failed asserting that 2 matches expected 1."',
    ],
  ],
  "NUnit by transformation": [
    `<testsuites><testsuite tests="2" time="0.08" errors="0" failures="1" skipped="1" timestamp="2026-01-05 12:00:00"><testcase name="Adds" assertions="1" time="0.04" status="Passed" classname="Shop.CartTests"/><testcase name="Later" time="0" status="Skipped" classname="Shop.CartTests"/><testcase name="Fails" status="Failed" classname="Shop.CartTests"><failure message="Expected: 1"/></testcase></testsuite></testsuites>`,
    ["✓ Shop.CartTests | Adds 40ms", "− Shop.CartTests | Later 0ms", '✗ Shop.CartTests | Fails "Expected: 1"'],
  ],
  "JunitXml.TestLogger (.NET)": [
    `<testsuites><testsuite name="Shop.Tests.dll" tests="1" skipped="0" failures="0" errors="0" time="0.5" id="0" package="Shop.Tests" hostname="box"><properties/><testcase classname="Shop.Tests.CartTests" name="Adds(a: 1, b: 2)" time="0.0075131"/><system-out>out</system-out><system-err></system-err></testsuite></testsuites>`,
    ["✓ Shop.Tests.CartTests | Adds(a: 1, b: 2) 8ms"],
  ],
  GoogleTest: [
    `<testsuites tests="3" failures="1" disabled="1" errors="0" time="0.2" name="AllTests"><testsuite name="Cart" tests="3"><testcase name="Adds" file="cart.cc" line="7" status="run" result="completed" time="0.1" classname="Cart"/><testcase name="DISABLED_Later" status="notrun" result="suppressed" time="0." classname="Cart"/><testcase name="Fails" status="run" result="completed" time="0.1" classname="Cart"><failure message="cart.cc:9&#x0A;Expected" type=""><![CDATA[cart.cc:9]]></failure></testcase></testsuite></testsuites>`,
    ["✓ Cart | Adds 100ms", "− Cart | DISABLED_Later 0ms", '✗ Cart | Fails 100ms "cart.cc:9\nExpected"'],
  ],
  CTest: [
    `<testsuite name="Linux-c++" tests="2" failures="1" disabled="0" skipped="0" hostname="box" time="0"><testcase name="cart" classname="cart" time="0.01" status="run"><system-out>ok</system-out></testcase><testcase name="price" classname="price" time="0.02" status="fail"><failure message=""/><system-out>no</system-out></testcase></testsuite>`,
    ["✓ Linux-c++ | cart 10ms", "✗ Linux-c++ | price 20ms"],
  ],
  Catch2: [
    `<testsuites><testsuite name="cart" errors="0" failures="1" tests="2" hostname="tbd" time="0.1"><testcase classname="cart.global" name="adds" time="0.001" status="run"/><testcase classname="cart.global" name="fails/inner" time="0.002" status="run"><failure message="a == 2" type="REQUIRE">FAILED:</failure><failure message="b == 3" type="CHECK">FAILED again:</failure></testcase></testsuite></testsuites>`,
    ["✓ cart.global | adds 1ms", '✗ cart.global | fails/inner 2ms "a == 2"'],
  ],
  "Swift and xcpretty": [
    `<testsuites name="ShopTests.xctest" tests="1" failures="1"><testsuite name="ShopTests.CartTests" tests="1" failures="1"><testcase classname="ShopTests.CartTests" name="testAdds"><failure message="XCTAssertEqual failed">CartTests.swift:9</failure></testcase></testsuite></testsuites>`,
    ['✗ ShopTests.CartTests | testAdds "XCTAssertEqual failed"'],
  ],
  ScalaTest: [
    `<testsuite errors="0" failures="0" hostname="box" name="shop.CartSpec" tests="1" time="0.1" timestamp="2026-01-05T12:00:00"><properties></properties><testcase name="A cart should add" classname="shop.CartSpec" time="0,031"></testcase></testsuite>`,
    ["✓ shop.CartSpec | A cart should add 31ms"],
  ],
  ExUnit: [
    `<testsuites><testsuite errors="0" failures="1" name="Elixir.CartTest" tests="1" time="0.01"><properties/><testcase classname="Elixir.CartTest" file="test/cart_test.exs" name="test adds" time="0.0044"><failure message="error: Assertion with == failed">1) test adds</failure></testcase></testsuite></testsuites>`,
    ['✗ Elixir.CartTest | test adds 4ms "error: Assertion with == failed"'],
  ],
  Bats: [
    `<testsuites time="0.1"><testsuite name="cart.bats" tests="2" failures="1" errors="0" skipped="1" time="0.1"><testcase classname="cart.bats" name="adds" time="0.05"/><testcase classname="cart.bats" name="later" time="0"><skipped>no curl</skipped></testcase></testsuite></testsuites>`,
    ["✓ cart.bats | adds 50ms", '− cart.bats | later 0ms "no curl"'],
  ],
  "Robot Framework": [
    `<testsuite name="Shop" tests="1" errors="0" failures="1" skipped="0" time="0.5"><testcase classname="Shop.Cart" name="Add Item" time="0.5"><failure message="Element not found" type="AssertionError"/></testcase></testsuite>`,
    ['✗ Shop.Cart | Add Item 500ms "Element not found"'],
  ],
  "Ant, a suite that failed as such": [
    `<testsuites><testsuite name="CartTest" package="shop" tests="0" errors="1"><error message="Forked VM exited" type="junit.framework.AssertionFailedError">at null</error></testsuite></testsuites>`,
    ['! CartTest | (the suite itself) "Forked VM exited"'],
  ],
  "a namespace before each name": [
    `<j:testsuites xmlns:j="urn:j"><j:testsuite name="s"><j:testcase name="one" classname="C"><j:skipped/></j:testcase></j:testsuite></j:testsuites>`,
    ["− C | one"],
  ],
  "capital letters and no names": [
    `<TestSuites><TestSuite><TestCase Time="12ms"/><TestCase ClassName="C" Name=" two "/></TestSuite></TestSuites>`,
    ["✓  | (no name) 12ms", "✓ C | two"],
  ],
  "something printed before it": [
    `npm warn deprecated\n<?xml version="1.0"?><testsuite name="s"><testcase name="one"/></testsuite>`,
    ["✓ s | one"],
  ],
};

test.each(Object.entries(samples))("%s", (_, [xml, read]) => {
  const { cases, faults } = parseReport(xml);
  expect(cases.map(brief)).toEqual(read);
  expect(faults).toEqual([]);
});
