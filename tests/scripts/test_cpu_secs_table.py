#!/usr/bin/env python3
"""scripts/process_json_create_cpu_secs_table.py, run as a program."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SCRIPT = os.path.join(ROOT, "scripts", "process_json_create_cpu_secs_table.py")
HEADER = "timeframe,total_pct [0,#CORES],main_thread_pct [0,100],background thread [0,100],backend_pct"


def counters(total_sys, total_user, main_sys, main_user, queue):
    return {"ai_self_used_cpu_sys": str(total_sys), "ai_self_used_cpu_user": str(total_user),
            "ai_main_thread_used_cpu_sys": str(main_sys), "ai_main_thread_used_cpu_user": str(main_user),
            "ai_queue_CPU_bthread_n1_used_cpu_total": str(queue), "used_memory": "1"}


SECOND = 10**9
START = 1600000000 * SECOND


class CpuSecsTable(unittest.TestCase):
    def run_on(self, data, *arguments):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "results.json")
            with open(path, "w", encoding="utf-8") as file:
                file.write(data if isinstance(data, str) else json.dumps(data))
            return subprocess.run([sys.executable, SCRIPT, path, *arguments], capture_output=True, encoding="utf-8",
                                  timeout=60, check=False)

    def assert_rows(self, done, *rows):
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.splitlines(), [HEADER, *rows])

    def test_counters_that_grow_are_subtracted(self):
        """AIBench's: the first period has nothing to be subtracted from."""
        done = self.run_on({"ServerRunTimeStats": {
            str(START + 2 * SECOND): {"a": counters(11, 23, 10.5, 20.5, 2.5)},
            str(START): {"a": counters(10, 20, 10, 20, 1)},
            str(START + 4 * SECOND): {"a": counters(11, 24, 10.5, 20.5, 3.5)},
        }})
        self.assert_rows(done, "2.000,200.00,50.00,75.00,150.00", "2.000,50.00,0.00,50.00,50.00")

    def test_differences_are_taken_as_they_are(self):
        done = self.run_on({"Program": "aibench_run_inference_redisai_vision",
                            "ClientRunTimeStats": {str(START): {"TestTime": 0.5}},
                            "ServerRunTimeStats": {
                                str(START): {"a": counters(0.1, 0.4, 0.05, 0.05, 0.4)},
                                str(START + SECOND): {"a": counters(0.5, 1, 0.25, 0, 0.75)},
                            }})
        self.assert_rows(done, "0.500,100.00,20.00,80.00,80.00", "1.000,150.00,25.00,75.00,125.00")

    def test_servers_and_queues_are_summed(self):
        one = counters(0, 1, 0, 0, 0.25)
        two = dict(counters(0, 0.5, 0, 0.5, 0.25), **{"ai_queue_CPU:1_bthread_n1_used_cpu_total": "0.5"})
        done = self.run_on({"Program": "x", "ClientRunTimeStats": {},
                            "ServerRunTimeStats": {str(START): {}, str(START + SECOND): {"a": one, "b": two}}})
        self.assert_rows(done, "1.000,150.00,50.00,100.00,100.00")

    def test_markdown_has_the_same_cells(self):
        done = self.run_on({"ServerRunTimeStats": {str(START): {"a": counters(0, 0, 0, 0, 0)},
                                                   str(START + SECOND): {"a": counters(0, 1, 0, 0, 0)}}},
                           "--format", "markdown")
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 3)
        self.assertEqual([cell.strip() for cell in lines[2].split("|")[1:-1]], ["1.000", "100.00", "0.00", "0.00", "100.00"])

    def test_what_is_no_result_is_one_clear_line(self):
        for data in ("", "[]", "{}", '{"ServerRunTimeStats": 3}', '{"ServerRunTimeStats": {"x": {}}}',
                     '{"ServerRunTimeStats": {}}', '{"ServerRunTimeStats": {"1": {"a": {"ai_self_used_cpu_sys": "?"}}}}'):
            done = self.run_on(data)
            self.assertEqual(done.returncode, 1, data)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertEqual(done.stdout, "")

    def test_a_missing_file_is_named(self):
        done = subprocess.run([sys.executable, SCRIPT, "/no/such.json"], capture_output=True, encoding="utf-8",
                              timeout=60, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/no/such.json", done.stderr)


if __name__ == "__main__":
    unittest.main()
