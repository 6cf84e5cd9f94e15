"""python3 -m test.verify <url>: asks orders what the pacts of others in pacts/ ask, and writes what came of each to pacts/results/."""

import json
import pathlib
import sys
import urllib.error
import urllib.request


def verify(base, interaction):
    request, response = interaction["request"], interaction["response"]
    body = json.dumps(request["body"]).encode() if "body" in request else None
    asked = urllib.request.Request(base + request["path"], body, request.get("headers", {}), method=request["method"])
    try:
        answer = urllib.request.urlopen(asked, timeout=10)
    except urllib.error.HTTPError as error:
        answer = error
    found = json.load(answer)
    mismatches = []
    if answer.status != response["status"]:
        mismatches.append(mismatch("status", "status", f"expected {response['status']}, got {answer.status}"))
    if "body" in response:
        mismatches += differences(response["body"], found, "$", response.get("matchingRules", {}))
    told = {"interactionId": interaction["_id"], "interactionDescription": interaction["description"]}
    return {**told, "success": not mismatches, "mismatches": mismatches}


def differences(expected, actual, path, rules, above=False):
    """By type where a rule of this place or one above says so, otherwise by value. More than what is expected is no difference."""
    by_type = above or rules.get(path.replace("$", "$.body", 1), {}).get("match") == "type"
    if kind(expected) != kind(actual):
        return [mismatch("body", path, f"expected {json.dumps(expected)}, got {json.dumps(actual)}")]
    if isinstance(expected, list):
        if not by_type and len(expected) != len(actual):
            return [mismatch("body", path, f"expected {len(expected)} items, got {len(actual)}")]
        pairs = [(expected[0 if by_type else at], each, at) for at, each in enumerate(actual)] if expected else []
        return [found for want, each, at in pairs for found in differences(want, each, f"{path}[{at}]", rules, by_type)]
    if isinstance(expected, dict):
        keys = expected.items()
        return [found for key, want in keys for found in differences(want, actual.get(key), f"{path}.{key}", rules, by_type)]
    if by_type or expected == actual:
        return []
    return [mismatch("body", path, f"expected {json.dumps(expected)}, got {json.dumps(actual)}")]


def kind(value):
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def mismatch(attribute, identifier, description):
    return {"attribute": attribute, "identifier": identifier, "description": description}


def main(base):
    # Without the folder nobody asks: what lies there are pacts that the unit tests wrote.
    asked = pathlib.Path("pacts/results").is_dir()
    for file in sorted(pathlib.Path("pacts").glob("*.json")) if asked else []:
        pact = json.loads(file.read_text())
        results = [verify(base, each) for each in pact["interactions"]]
        success = all(each["success"] for each in results)
        told = {"success": success, "verifiedBy": {"implementation": "orders", "version": "1"}, "testResults": results}
        (file.parent / "results" / file.name).write_text(json.dumps(told))
        print(f"{'keeps' if success else 'BREAKS'} its contract with {pact['consumer']['name']}")
        for each in results:
            for wrong in each["mismatches"]:
                print(f"  {wrong['identifier']}: {wrong['description']}")


main(sys.argv[1].rstrip("/"))
