"""Serves requests until SIGTERM, and then leaves without cutting anyone off."""

import json
import signal
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY_BYTES = 64 * 1024

# After SIGTERM: time for requests that are on their way already, and for those that have begun.
FAREWELL_SECONDS = 0.5
FINISH_SECONDS = 10


def serve(handle, port):
    """handle(method, path, body) answers (status, body, headers)."""
    server = Server(("", port), handler_for(handle))
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.leave).start())
    print(json.dumps({"level": "info", "message": "listening", "port": server.server_port}))
    server.serve_forever()
    server.finish()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *args):
        super().__init__(*args)
        self.leaving = False
        self._open = 0
        self._changed = threading.Condition()

    def count(self, change):
        with self._changed:
            self._open += change
            self._changed.notify_all()

    def leave(self):
        self.leaving = True
        time.sleep(FAREWELL_SECONDS)
        self.shutdown()

    def finish(self):
        with self._changed:
            self._changed.wait_for(lambda: self._open == 0, timeout=FINISH_SECONDS)


def handler_for(handle):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Longer than any balancer keeps an idle connection: whoever closes first must be the one that sends the requests.
        timeout = 75
        disable_nagle_algorithm = True
        wbufsize = -1

        def answer(self):
            self.server.count(+1)
            try:
                self._reply(*self._handle())
                self.wfile.flush()
            finally:
                self.server.count(-1)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        def _handle(self):
            length = self.headers.get("Content-Length", "0")
            if not length.isdigit() or "Transfer-Encoding" in self.headers:
                return 411, {"error": "A Content-Length is needed."}, {"Connection": "close"}
            if int(length) > BODY_BYTES:
                return 413, {"error": "The body is too large."}, {"Connection": "close"}
            body = self.rfile.read(int(length))
            try:
                return handle(self.command, self.path.split("?")[0], body)
            except Exception:
                print(json.dumps({"level": "error", "message": traceback.format_exc()}), file=sys.stderr)
                return 500, {"error": "Something broke here; the log says what."}, {}

        def _reply(self, status, body, headers):
            if self.server.leaving:
                headers = {**headers, "Connection": "close"}
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/hal+json")
            self.send_header("Content-Length", str(len(text)))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            """The balancer logs requests; errors are printed where they happen."""

    return Handler
