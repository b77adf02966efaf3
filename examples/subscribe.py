"""A channel in Python: handles every action once, through a durable consumer.

    python examples/subscribe.py nats://127.0.0.1:4222 10

Without the number it goes on for ever. Started again, it goes on where it ended. Needs `nats-py`.
"""

import asyncio
import json
import sys

import nats
from nats.errors import TimeoutError as NothingYet
from nats.js.api import AckPolicy, ConsumerConfig


async def main():
    url = sys.argv[1] if len(sys.argv) > 1 else "nats://127.0.0.1:4222"
    count = int(sys.argv[2]) if len(sys.argv) > 2 else None

    client = await nats.connect(url)
    jetstream = client.jetstream()
    # The server keeps this consumer's place; every channel has a name and a filter of its own,
    # such as `attune.actions.email.>`.
    subscription = await jetstream.pull_subscribe(
        "attune.actions.>",
        durable="example-python",
        stream="ATTUNE_ACTIONS",
        config=ConsumerConfig(ack_policy=AckPolicy.EXPLICIT),
    )

    # A real channel keeps these where its own crash does not lose them, or gives the id to a
    # provider that takes an idempotency key.
    handled = set()
    while len(handled) != count:
        try:
            (message,) = await subscription.fetch(1, timeout=5)
        except NothingYet:
            continue
        action = json.loads(message.data)
        if action["action_id"] not in handled:
            handled.add(action["action_id"])
            handle(action)
        # After the work: what is not acknowledged comes again.
        await message.ack_sync()
    await client.close()


def handle(action):
    """Here an e-mail would be sent."""
    print(action["action_id"], action["channel"], action["template"], action["customer"], flush=True)


asyncio.run(main())
