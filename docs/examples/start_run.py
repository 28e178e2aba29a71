#!/usr/bin/env python3
"""Starts a training run on an AMC Workstation engine, waits for it, and prints what came of it. Needs nothing but Python's standard library.

    amc serve --project my-project --json          prints {"url": ..., "token": ...}
    python docs/examples/start_run.py --url http://127.0.0.1:PORT --token TOKEN --dataset "Demo scenes" --preset demo-amc --set steps=200

With --start CHECKPOINT the run begins from that checkpoint: it is told how much was corrected since, and both are compared on a split at the end.

/openapi.json of the engine describes every procedure; each is POST /api/v1/FEATURE/PROCEDURE with JSON.
"""
import argparse
import json
import sys
import time
import urllib.error
import urllib.request


class Engine:
    def __init__(self, url, token):
        self.base, self.token = url.rstrip("/") + "/api/v1/", token

    def __call__(self, procedure, **arguments):
        request = urllib.request.Request(
            self.base + procedure, data=json.dumps(arguments).encode(), method="POST",
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"},
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")
            try:
                told = json.loads(text)
            except ValueError:
                sys.exit(f"{procedure}: {error.code} {text.strip()}")
            data = told.get("data") or {}
            sys.exit(" ".join(filter(None, [data.get("message", told.get("message", "")), data.get("cure", "")])))


def setting(text):
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def named(items, name, what):
    found = [item for item in items if name in (item["name"], item["id"])]
    if len(found) != 1:
        sys.exit(f"There is no one {what} called {name}; there are: {', '.join(item['name'] for item in items)}")
    return found[0]


def compared(engine, dataset, split, start, best, every):
    """Scores what has no score yet by either checkpoint, then asks how the best one differs from the one it began from."""
    jobs = [engine("scores/compute", datasetId=dataset["id"], checkpointId=one["id"], splits=[split])["id"] for one in (start, best)]
    while any(job["id"] in jobs and job["state"] in ("waiting", "running") for job in engine("jobs/list")):
        time.sleep(every)
    answer = engine("compare/get", population={"datasetId": dataset["id"], "split": split}, checkpointIds=[start["id"], best["id"]])
    if answer["regions"] == 0:
        return None
    return {"split": split, "regions": answer["regions"], "headline": answer["pairs"][0]["headline"]}


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--url", required=True)
    options.add_argument("--token", required=True)
    options.add_argument("--dataset", required=True, help="name or id")
    options.add_argument("--preset", default="demo-amc")
    options.add_argument("--name", help="of the run")
    options.add_argument("--start", help="checkpoint to begin from: name or id")
    options.add_argument("--split", default="val", help="that both checkpoints are compared on")
    options.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    options.add_argument("--every", type=float, default=2.0, help="seconds between two looks")
    given = options.parse_args()

    engine = Engine(given.url, given.token)
    dataset = named(engine("datasets/list"), given.dataset, "dataset")
    wanted = {"preset": given.preset, "datasetId": dataset["id"], "overrides": dict(setting(text) for text in given.set)}
    if given.name:
        wanted["name"] = given.name
    start = named(engine("checkpoints/list"), given.start, "checkpoint") if given.start else None
    if start:
        wanted["startCheckpointId"] = start["id"]
        since = engine("runs/changedSince", datasetId=dataset["id"], startCheckpointId=start["id"])
        print(f"{since['corrected']} corrections since, {since['firstSeen']} of them seen by no run yet", file=sys.stderr)

    estimate = engine("runs/estimate", **wanted)
    for problem in estimate["problems"]:
        print(f"{problem['key']}: {problem['message']}", file=sys.stderr)
    run = engine("runs/start", **wanted)
    print(f"Started {run['name']} on {dataset['name']}: {run['totalSteps']} steps", file=sys.stderr)

    step = -1
    while run["state"] in ("waiting", "starting", "training", "pausing", "stopping"):
        time.sleep(given.every)
        run = engine("runs/get", id=run["id"])
        if run["step"] != step:
            step = run["step"]
            print(f"{run['state']}: step {step} of {run['totalSteps']}", file=sys.stderr)
    if run["state"] == "failed":
        sys.exit(f"{run['error']['message']} {run['error']['cure']}")

    metrics = engine("runs/metrics", id=run["id"], afterStep=-1)
    checkpoints = [one for one in engine("checkpoints/list") if one["runId"] == run["id"]]
    best = next((one for one in checkpoints if one["best"]), None)
    comparison = compared(engine, dataset, given.split, start, best, given.every) if start and best else None
    json.dump({
        "run": {key: run[key] for key in ("id", "name", "state", "step", "totalSteps")},
        "last": metrics[-1] if metrics else None,
        "checkpoints": [{key: one[key] for key in ("id", "name", "step", "best", "metrics")} for one in checkpoints],
        "comparison": comparison,
    }, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
