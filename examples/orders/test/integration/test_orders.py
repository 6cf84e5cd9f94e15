import concurrent.futures
import json
import os
import unittest
import urllib.error
import urllib.request

ORDERS = os.environ.get("ORDERS_URL", "")


def ask(path, wish=None):
    body = None if wish is None else json.dumps(wish).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(ORDERS + path, data=body), timeout=10) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


class OrdersTest(unittest.TestCase):
    def test_an_order_is_found_again(self):
        status, order = ask("/orders", {"sku": "tow-rope", "quantity": 2})
        self.assertEqual((status, order["total"]), (201, 5712))
        self.assertEqual(ask(order["_links"]["self"]["href"]), (200, order))

    def test_a_product_that_the_catalog_does_not_have_is_refused(self):
        self.assertEqual(ask("/orders", {"sku": "anchor"})[0], 422)

    def test_many_orders_at_once_are_each_kept_once(self):
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            answers = list(pool.map(lambda _: ask("/orders", {"sku": "tow-rope"}), range(100)))
        self.assertEqual({status for status, _ in answers}, {201})
        self.assertEqual(len({order["id"] for _, order in answers}), 100)

    def test_an_order_that_nobody_placed_is_not_found(self):
        self.assertEqual(ask("/orders/999999999")[0], 404)
