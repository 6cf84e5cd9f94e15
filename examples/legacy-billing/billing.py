"""Invoices, the way it was done when servers were never replaced: rude on purpose, see README.md."""

import json
import os
import re
import signal
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORK_SECONDS = 0.3


def invoice(order, cents):
    """Cents with the handling fee of 2 %, at least 50 cents."""
    fee = max(50, round(cents * 0.02))
    return {"invoice": f"INV-{order:06d}", "order": order, "net": cents, "fee": fee, "total": cents + fee}


class Billing(BaseHTTPRequestHandler):
    def do_GET(self):
        match = re.fullmatch(r"/invoices/(\d{1,9})/(\d{1,9})", self.path)
        if match:
            time.sleep(WORK_SECONDS)
            return self.reply(200, invoice(int(match[1]), int(match[2])))
        if self.path == "/":
            release = os.environ.get("TOWLINE_RELEASE", "none")
            links = {"invoice": {"href": "/invoices/{order}/{cents}", "templated": True}}
            return self.reply(200, {"service": "legacy-billing", "release": release, "_links": links})
        return self.reply(404, {"error": f"There is nothing at {self.path}."})

    def reply(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/hal+json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def main():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    ThreadingHTTPServer.request_queue_size = 128
    ThreadingHTTPServer(("", int(os.environ.get("PORT", "8000"))), Billing).serve_forever()


if __name__ == "__main__":
    main()
