"""The client of the catalog."""

import json
import urllib.error
import urllib.request

TIMEOUT_SECONDS = 5


class CatalogError(Exception):
    """The catalog did not answer as it should."""


class Catalog:
    def __init__(self, url):
        self._url = url.rstrip("/")

    def price(self, sku):
        """Gross price in cents, or None when there is no such product."""
        try:
            with urllib.request.urlopen(f"{self._url}/products/{sku}", timeout=TIMEOUT_SECONDS) as response:
                return int(json.load(response)["price"]["gross"])
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise CatalogError(f"The catalog answered {error.code}.") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CatalogError(f"The catalog did not answer: {error}") from error
