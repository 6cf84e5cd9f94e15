import json
import unittest

from orders.app import App
from orders.catalog import CatalogError
from orders.store import StoreError


class MemoryStore:
    def __init__(self):
        self.orders = []

    def ping(self):
        pass

    def add(self, sku, quantity, price):
        order = {"id": len(self.orders) + 1, "sku": sku, "quantity": quantity, "price": price}
        self.orders.append(order)
        return order

    def find(self, order_id):
        return next((order for order in self.orders if order["id"] == order_id), None)

    def latest(self, count):
        return self.orders[::-1][:count]


class OneProduct:
    def price(self, sku):
        return 1190 if sku == "rope" else None


class DeadCatalog:
    def price(self, sku):
        raise CatalogError("The catalog did not answer.")


class DeadStore(MemoryStore):
    def ping(self):
        raise StoreError("The database does not answer.")


class AppTest(unittest.TestCase):
    def setUp(self):
        self.app = App(MemoryStore(), OneProduct())

    def place(self, **wish):
        return self.app.handle("POST", "/orders", json.dumps(wish).encode())

    def test_an_order_is_kept_at_the_price_of_the_catalog(self):
        status, body, headers = self.place(sku="rope", quantity=3)
        self.assertEqual((status, body["total"]), (201, 3570))
        self.assertEqual(self.app.handle("GET", headers["Location"], b"")[1], body)

    def test_what_is_not_sold_cannot_be_ordered(self):
        self.assertEqual(self.place(sku="anchor", quantity=1)[0], 422)

    def test_a_wrong_order_is_refused_with_its_reason(self):
        for quantity in (0, -1, 101, 1.5, "2", None):
            status, body, _ = self.place(sku="rope", quantity=quantity)
            self.assertEqual(status, 400)
            self.assertIn("quantity", body["error"])
        self.assertEqual(self.place(sku="../health")[0], 400)
        for body in (b"", b"{", b"[]", b"\xff"):
            self.assertEqual(self.app.handle("POST", "/orders", body)[0], 400)

    def test_a_catalog_that_does_not_answer_is_a_bad_gateway(self):
        wish = json.dumps({"sku": "rope"}).encode()
        self.assertEqual(App(MemoryStore(), DeadCatalog()).handle("POST", "/orders", wish)[0], 502)

    def test_without_its_database_it_is_not_ready(self):
        self.assertEqual(App(DeadStore(), OneProduct()).handle("GET", "/health", b"")[0], 503)

    def test_the_latest_order_comes_first(self):
        self.place(sku="rope", quantity=1)
        self.place(sku="rope", quantity=2)
        _, body, _ = self.app.handle("GET", "/orders", b"")
        self.assertEqual([order["quantity"] for order in body["_embedded"]["orders"]], [2, 1])
