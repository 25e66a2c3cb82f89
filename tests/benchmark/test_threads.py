from __future__ import annotations

import threading

import numpy as np
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from synthgen.benchmark.threads import single_thread


def _counts() -> set[int]:
    np.ones(2) @ np.ones(2)
    return {pool["num_threads"] for pool in threadpool_info()} | {torch.get_num_threads()}


def test_one_thread_within_and_as_before_after() -> None:
    before = torch.get_num_threads()
    with threadpool_limits(2):
        torch.set_num_threads(2)
        try:
            with single_thread():
                assert _counts() == {1}
            assert _counts() == {2}
        finally:
            torch.set_num_threads(before)


def test_threads_that_come_and_go_do_not_lift_the_limits_of_others() -> None:
    entered, left, done = threading.Event(), threading.Event(), threading.Event()
    seen: list[set[int]] = []

    def other() -> None:
        with single_thread():
            seen.append(_counts())
            entered.set()
            left.wait(10)
            seen.append(_counts())
        done.set()

    before = torch.get_num_threads()
    with threadpool_limits(2):
        torch.set_num_threads(2)
        try:
            thread = threading.Thread(target=other)
            with single_thread():
                thread.start()
                assert entered.wait(10)
                assert _counts() == {1}
            left.set()
            assert done.wait(10)
            thread.join(10)
            assert seen == [{1}, {1}]
            assert _counts() == {2}
        finally:
            torch.set_num_threads(before)
