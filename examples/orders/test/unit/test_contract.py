import json
import os
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from orders.catalog import Catalog

BY_TYPE = {"$.body": {"match": "type"}}
INTERACTIONS = [
    {
        "description": "the price of a product",
        "request": {"method": "GET", "path": "/products/tow-rope"},
        "response": {"status": 200, "body": {"price": {"gross": 2856}}, "matchingRules": BY_TYPE},
    },
    {
        "description": "the price of a product that is none",
        "request": {"method": "GET", "path": "/products/sea-rope"},
        "response": {"status": 404},
    },
]


class Provider(BaseHTTPRequestHandler):
    """Plays the catalog as the contract says, and notes what of it was asked for."""

    asked = []

    def do_GET(self):
        found = next(each for each in INTERACTIONS if each["request"]["path"] == self.path)
        self.asked.append(found["description"])
        self.send_response(found["response"]["status"])
        self.end_headers()
        self.wfile.write(json.dumps(found["response"].get("body", {})).encode())

    def log_message(self, *_):
        pass


class ContractTest(unittest.TestCase):
    def test_what_orders_asks_of_the_catalog_is_its_contract_with_it(self):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.shutdown)
        catalog = Catalog(f"http://127.0.0.1:{server.server_port}")
        self.assertEqual(catalog.price("tow-rope"), 2856)
        self.assertIsNone(catalog.price("sea-rope"))
        self.assertEqual(Provider.asked, [each["description"] for each in INTERACTIONS])
        os.makedirs("pacts", exist_ok=True)
        with open("pacts/orders-catalog.json", "w", encoding="utf-8") as file:
            pact = {"consumer": {"name": "orders"}, "provider": {"name": "catalog"}, "interactions": INTERACTIONS}
            json.dump({**pact, "metadata": {"pactSpecification": {"version": "2.0.0"}}}, file)
