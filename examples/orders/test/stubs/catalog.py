"""Stands in for the catalog: one product at one price, on port 8080."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Catalog(BaseHTTPRequestHandler):
    def do_GET(self):
        found = self.path in ("/", "/products/tow-rope")
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/hal+json")
        self.end_headers()
        self.wfile.write(json.dumps({"sku": "tow-rope", "price": {"gross": 2856}} if found else {}).encode())

    def log_message(self, *_):
        pass


ThreadingHTTPServer.request_queue_size = 128
ThreadingHTTPServer(("", 8080), Catalog).serve_forever()
