"""What each request gets: handle(method, path, body) answers (status, body, headers)."""

import json
import os
import re

from .catalog import CatalogError
from .store import StoreError

MOST_OF_ONE = 100
LATEST = 20


class App:
    def __init__(self, store, catalog):
        self._store = store
        self._catalog = catalog

    def handle(self, method, path, body):
        try:
            return self._route(method, path, body)
        except CatalogError as error:
            return 502, {"error": str(error)}, {}
        except StoreError as error:
            return 503, {"error": str(error)}, {"Retry-After": "1"}

    def _route(self, method, path, body):
        if (method, path) == ("GET", "/health"):
            self._store.ping()
            return 200, {"status": "ok"}, {}
        if (method, path) == ("GET", "/"):
            return 200, start(), {}
        if (method, path) == ("GET", "/orders"):
            return 200, collection(self._store.latest(LATEST)), {}
        if (method, path) == ("POST", "/orders"):
            return self._place(body)
        if method == "GET" and (match := re.fullmatch(r"/orders/(\d{1,18})", path)):
            order = self._store.find(int(match[1]))
            if order:
                return 200, resource(order), {}
        return 404, {"error": f"There is nothing at {path}.", "_links": {"start": {"href": "/"}}}, {}

    def _place(self, body):
        wish = parse(body)
        if isinstance(wish, str):
            return 400, {"error": wish}, {}
        sku, quantity = wish
        price = self._catalog.price(sku)
        if price is None:
            return 422, {"error": f"There is no product {sku}."}, {}
        order = self._store.add(sku, quantity, price)
        return 201, resource(order), {"Location": f"/orders/{order['id']}"}


def parse(body):
    """(sku, quantity), or a sentence that says what is wrong."""
    try:
        wish = json.loads(body)
    except ValueError:
        return "The body is not JSON."
    if not isinstance(wish, dict):
        return "The body is not an object."
    sku, quantity = wish.get("sku"), wish.get("quantity", 1)
    if not isinstance(sku, str) or not re.fullmatch(r"[a-z0-9-]{1,40}", sku):
        return "The sku is missing or not a product's."
    if not isinstance(quantity, int) or not 1 <= quantity <= MOST_OF_ONE:
        return f"The quantity must be a whole number from 1 to {MOST_OF_ONE}."
    return sku, quantity


def start():
    return {
        "service": "orders",
        "release": os.environ.get("TOWLINE_RELEASE", "none"),
        "commit": os.environ.get("TOWLINE_COMMIT", "none"),
        "environment": os.environ.get("TOWLINE_ENVIRONMENT", "none"),
        "_links": {
            "self": {"href": "/"},
            "orders": {"href": "/orders"},
            "order": {"href": "/orders/{id}", "templated": True},
        },
    }


def collection(orders):
    return {"_links": {"self": {"href": "/orders"}}, "_embedded": {"orders": [resource(order) for order in orders]}}


def resource(order):
    return {
        **order,
        "total": order["quantity"] * order["price"],
        "_links": {"self": {"href": f"/orders/{order['id']}"}, "collection": {"href": "/orders"}},
    }
