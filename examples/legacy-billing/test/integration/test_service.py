import json
import os
import unittest
import urllib.request

BILLING = os.environ.get("BILLING_URL", "")


class ServiceTest(unittest.TestCase):
    def test_an_order_gets_its_invoice(self):
        with urllib.request.urlopen(f"{BILLING}/invoices/7/10000", timeout=10) as response:
            self.assertEqual(json.load(response)["invoice"], "INV-000007")
