#!/usr/bin/env python3
"""Turns the invoices of "Online Retail" into events: one JSON event a line, in the order of time.

    python events.py [online_retail.csv.gz] > events.jsonl

An invoice of a known customer is an `Order Completed`, a cancelled one (its number begins with C) an `Order Refunded`,
each with `order_id`, `total` (GBP, positive) and `products` (one a line). Lines without a customer are left out. Times
are local in the source and taken as UTC. Without a path the table is read from ../../../shared/data, relative to this file.
Needs nothing but Python 3.
"""

import csv
import gzip
import json
import sys
from pathlib import Path

TABLE = Path(__file__).resolve().parent / "../../../shared/data/online_retail.csv.gz"


def main():
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else TABLE
    # The time of its first line is the time of an invoice; a sort by time keeps the order of the source within it.
    for number, invoice in sorted(invoices(path).items(), key=lambda pair: pair[1]["at"]):
        print(json.dumps(event(number, invoice), separators=(",", ":")))


def invoices(path):
    """Returns the invoices by number."""
    found = {}
    with gzip.open(path, "rt", newline="") as file:
        for line in csv.DictReader(file):
            if not line["CustomerID"]:
                continue
            new = {"customer": line["CustomerID"], "at": line["InvoiceDate"], "pence": 0, "products": []}
            invoice = found.setdefault(line["InvoiceNo"], new)
            quantity = int(line["Quantity"])
            # Whole pence, so that a sum does not depend on the order of its parts.
            invoice["pence"] += round(quantity * float(line["UnitPrice"]) * 100)
            invoice["products"].append({"product_id": line["StockCode"], "quantity": abs(quantity)})
    return found


def event(number, invoice):
    cancelled = number.startswith("C")
    return {
        "type": "track",
        "messageId": number,
        "userId": invoice["customer"],
        "event": "Order Refunded" if cancelled else "Order Completed",
        "timestamp": invoice["at"].replace(" ", "T") + "Z",
        "properties": {
            "order_id": number.removeprefix("C"),
            "total": abs(invoice["pence"]) / 100,
            "products": invoice["products"],
        },
    }


if __name__ == "__main__":
    main()
