"""python3 junit.py <folder> <file>: runs the folder's tests and writes what came out as JUnit XML."""

import sys
import time
import unittest
import xml.etree.ElementTree as xml


class Recorder(unittest.TextTestResult):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.suite = xml.Element("testsuite", name="legacy-billing")

    def startTest(self, test):
        super().startTest(test)
        self._test = test
        self._began = time.monotonic()
        group, name = test.id().rsplit(".", 1)
        self._case = xml.SubElement(self.suite, "testcase", classname=group, name=name)

    def stopTest(self, test):
        self._case.set("time", f"{time.monotonic() - self._began:.3f}")
        super().stopTest(test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        xml.SubElement(self._case, "failure", message=str(err[1])).text = self.failures[-1][1]

    def addError(self, test, err):
        super().addError(test, err)
        running = getattr(self, "_test", None) is test
        # An error of a whole class or module belongs to no test.
        case = self._case if running else xml.SubElement(self.suite, "testcase", name=str(test))
        xml.SubElement(case, "error", message=str(err[1])).text = self.errors[-1][1]

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        xml.SubElement(self._case, "skipped", message=reason)


def main(folder, file):
    tests = unittest.defaultTestLoader.discover(folder)
    result = unittest.TextTestRunner(sys.stdout, verbosity=2, resultclass=Recorder).run(tests)
    result.suite.set("tests", str(result.testsRun))
    result.suite.set("failures", str(len(result.failures)))
    result.suite.set("errors", str(len(result.errors)))
    xml.ElementTree(result.suite).write(file, encoding="utf-8", xml_declaration=True)
    return 0 if result.wasSuccessful() and result.testsRun > 0 else 1


sys.exit(main(*sys.argv[1:]))
