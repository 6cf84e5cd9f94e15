import { balancerConformance } from "./conformance.ts";
import { memoryHarness } from "./memory-harness.ts";

balancerConformance("the balancer in memory", async () => memoryHarness(1, ([one]) => one!));
