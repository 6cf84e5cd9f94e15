import unittest

from billing import invoice


class InvoiceTest(unittest.TestCase):
    def test_the_fee_is_two_percent(self):
        self.assertEqual(invoice(7, 10_000)["total"], 10_200)

    def test_the_fee_is_at_least_fifty_cents(self):
        self.assertEqual(invoice(7, 100)["fee"], 50)
