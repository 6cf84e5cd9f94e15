import http.client
import json
import signal
import subprocess
import sys
import threading
import time
import unittest

SLOW = """
import time
from orders.serve import serve

def handle(method, path, body):
    time.sleep(0.8 if path == "/slow" else 0)
    if path == "/faulty":
        raise ValueError("on purpose")
    return 200, {"path": path, "bytes": len(body)}, {}

serve(handle, 0)
"""


class ServeTest(unittest.TestCase):
    def setUp(self):
        self.service = subprocess.Popen(
            [sys.executable, "-u", "-c", SLOW], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.port = json.loads(self.service.stdout.readline())["port"]

    def tearDown(self):
        self.service.kill()
        self.service.wait()
        self.service.stdout.close()

    def connection(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        self.addCleanup(connection.close)
        return connection

    def ask(self, connection, path, body=None):
        connection.request("GET" if body is None else "POST", path, body)
        response = connection.getresponse()
        return response.status, json.load(response), response.headers["Connection"]

    def test_after_sigterm_what_has_begun_is_answered_and_then_it_ends(self):
        kept, begun = self.connection(), []
        self.ask(kept, "/first")
        slow = threading.Thread(target=lambda: begun.append(self.ask(self.connection(), "/slow")))
        slow.start()
        time.sleep(0.1)
        self.service.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        self.assertEqual(self.ask(kept, "/late"), (200, {"path": "/late", "bytes": 0}, "close"))
        slow.join()
        self.assertEqual(begun[0][0], 200)
        self.assertEqual(self.service.wait(timeout=10), 0)

    def test_a_fault_in_the_code_does_not_end_the_connection(self):
        kept = self.connection()
        self.assertEqual(self.ask(kept, "/faulty")[0], 500)
        self.assertEqual(self.ask(kept, "/", b"abc"), (200, {"path": "/", "bytes": 3}, None))

    def test_a_body_over_the_limit_is_refused(self):
        connection = self.connection()
        connection.putrequest("POST", "/")
        connection.putheader("Content-Length", "1000000")
        connection.endheaders()
        self.assertEqual(connection.getresponse().status, 413)
