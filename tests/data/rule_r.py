#!/usr/bin/env python3
"""Rule R, "a cart that went quiet", worked out without Attune: the oracle of its tests.

    rule_r.py EVENTS.jsonl[.gz] --quiet 30m|1h|24h --key user|item [--fires]

The reading, for a quiet time of G and a key of `user` (the customer) or `item` (customer, product):

- `Product Added` starts the key's timer, or restarts the one that runs: due = time of the event + G.
- `Order Completed` cancels the key's running timer. With `user`, any order of the customer does;
  with `item`, only an order that holds the same product. Without a running timer it does nothing.
- A timer fires at its due time. Inputs of exactly that time come first: an order at the due time
  cancels, a `Product Added` at the due time restarts.
- A fired or cancelled key may start again at once. No other event matters.
- The data ends at the time of its last event, whatever its kind. A timer due before the end has
  fired; one due at the end or later is open.

`fire`, `cancelled` and `open` count timers; a restart is the same timer. On the nine days of
`taobao_users_9days` (README.md) this gives

    quiet    user: fire  cancelled  open    item: fire  cancelled  open
    30m            2653        177     9          4400         52    14
    1h             2483        206    19          4362         61    40
    24h             906        499   243          3664        179   589

Prints one JSON object; with `--fires` also every firing, by time, customer, key. `key` is the
product, or null when the key is the customer alone.
"""

import argparse
import gzip
import json
from datetime import datetime, timedelta, timezone

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
MS = timedelta(milliseconds=1)
UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def main():
    arguments = argparse.ArgumentParser(description="Counts what Rule R does on a file of events.")
    arguments.add_argument("events")
    arguments.add_argument("--quiet", required=True, help="such as 30m, 1h, 24h")
    arguments.add_argument("--key", required=True, choices=["user", "item"])
    arguments.add_argument("--fires", action="store_true", help="also list every firing")
    given = arguments.parse_args()
    gap_ms = int(given.quiet[:-1]) * UNIT_MS[given.quiet[-1]]

    histories, end_ms = read(given.events, given.key)
    fires, n_cancelled, n_open = [], 0, 0
    for (customer, product), history in histories.items():
        fired, cancelled, is_open = walk(history, gap_ms, end_ms)
        fires += [(due_ms, customer, product) for due_ms in fired]
        n_cancelled += cancelled
        n_open += is_open

    report = {"quiet": given.quiet, "key": given.key}
    report.update(fire=len(fires), cancelled=n_cancelled, open=n_open)
    print(json.dumps(report)[:-1], end="")
    if given.fires:
        fires.sort(key=lambda fire: (fire[0], fire[1], fire[2] or ""))
        print(', "fires": [\n' + ",\n".join(map(shown, fires)) + "\n]", end="")
    print("}")


def walk(history, gap_ms, end_ms):
    """One key's inputs in time order: when its timer fired, how often it was cancelled, if it runs."""
    fired, n_cancelled, due_ms = [], 0, None
    for at_ms, starts in history:
        if due_ms is not None and due_ms < at_ms:
            fired.append(due_ms)
            due_ms = None
        if starts:
            due_ms = at_ms + gap_ms
        elif due_ms is not None:
            n_cancelled += 1
            due_ms = None
    if due_ms is not None and due_ms < end_ms:
        fired.append(due_ms)
        due_ms = None
    return fired, n_cancelled, due_ms is not None


def read(path, key):
    """The inputs of each key, `(at_ms, starts)`, and the time of the last event."""
    histories, end_ms = {}, 0
    opened = gzip.open if path.endswith(".gz") else open
    with opened(path, "rt", encoding="utf-8") as events:
        for event in map(json.loads, events):
            at = datetime.strptime(event["timestamp"], "%Y-%m-%dT%H:%M:%S.%fZ")
            at_ms = (at.replace(tzinfo=timezone.utc) - EPOCH) // MS
            if at_ms < end_ms:
                raise SystemExit(f"{event['messageId']}: the events are not in time order")
            end_ms = at_ms
            for product in touched(event, key):
                history = histories.setdefault((event["userId"], product), [])
                history.append((at_ms, event["event"] == "Product Added"))
    return histories, end_ms


def touched(event, key):
    """The keys an event speaks of: products, or `None` for the customer alone."""
    if event["event"] == "Product Added":
        products = [event["properties"]["product_id"]]
    elif event["event"] == "Order Completed":
        products = [product["product_id"] for product in event["properties"]["products"]]
    else:
        return []
    return products if key == "item" else [None]


def shown(fire):
    due_ms, customer, product = fire
    at = EPOCH + due_ms * MS
    at = f"{at:%Y-%m-%dT%H:%M:%S}.{due_ms % 1000:03d}Z"
    return json.dumps({"at": at, "customer": customer, "key": product})


if __name__ == "__main__":
    main()
