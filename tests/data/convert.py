#!/usr/bin/env python3
"""Turns a published event table into one JSON event a line, in time order.

    convert.py otto   otto_sessions_sample.csv.gz  otto.jsonl.gz
    convert.py taobao taobao_users_9days.csv.gz    taobao.jsonl.gz

- `otto`: columns `session, ts_ms, aid, type`; `messageId` is `otto-<session>-<n>`, n the row's place
  in its session, from 0; `userId` is `otto-<session>`.
- `taobao`: columns `ts, user_id, item_id, category_id, behavior`; `messageId` is `tb-<line>`, the
  row's line in the table with the header as line 1; `userId` is `user_id`.

One row gives one event. Events of one millisecond keep the order of the table.
"""

import csv
import gzip
import json
import sys
from datetime import datetime, timezone

NAMES = {
    "clicks": "Product Viewed",
    "carts": "Product Added",
    "orders": "Order Completed",
    "pv": "Product Viewed",
    "cart": "Product Added",
    "fav": "Product Added to Wishlist",
    "buy": "Order Completed",
}


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in READERS:
        sys.exit(__doc__)
    _, source, table_path, events_path = sys.argv
    with gzip.open(table_path, "rt", encoding="utf-8", newline="") as table:
        events = sorted(READERS[source](csv.DictReader(table)), key=lambda event: event[0])
    write(events_path, "".join(line(*event) + "\n" for event in events))


def otto(rows):
    n_of_session = {}
    for row in rows:
        session = row["session"]
        n = n_of_session.get(session, 0)
        n_of_session[session] = n + 1
        yield int(row["ts_ms"]), f"otto-{session}-{n}", f"otto-{session}", NAMES[row["type"]], row["aid"]


def taobao(rows):
    for n_line, row in enumerate(rows, start=2):
        yield int(row["ts"]) * 1000, f"tb-{n_line}", row["user_id"], NAMES[row["behavior"]], row["item_id"]


READERS = {"otto": otto, "taobao": taobao}


def line(at_ms, message_id, customer, name, product):
    properties = {"product_id": product}
    if name == "Product Added":
        properties["quantity"] = 1
    if name == "Order Completed":
        properties = {"products": [{"product_id": product}]}
    event = {
        "type": "track",
        "messageId": message_id,
        "userId": customer,
        "event": name,
        "properties": properties,
        "timestamp": rfc3339(at_ms),
    }
    return json.dumps(event, separators=(",", ":"))


def rfc3339(at_ms):
    seconds, ms = divmod(at_ms, 1000)
    at = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"


def write(path, text):
    data = text.encode()
    if path.endswith(".gz"):
        # No time in the header, so that the same events pack to the same bytes.
        data = gzip.compress(data, mtime=0)
    with open(path, "wb") as out:
        out.write(data)


if __name__ == "__main__":
    main()
