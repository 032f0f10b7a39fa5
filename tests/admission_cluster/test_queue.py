from __future__ import annotations

import threading
import time

import pytest

from weighbridge.admission.controller import queue as module
from weighbridge.admission.controller.queue import WorkQueue


def test_key_waits_once_however_often_it_is_added() -> None:
    queue = WorkQueue()
    for _ in range(3):
        queue.add("a")
    queue.add("b")
    assert len(queue) == 2
    assert [queue.take(), queue.take()] == ["a", "b"]


def test_key_in_work_is_not_given_to_a_second_worker_and_comes_again_when_done() -> None:
    queue = WorkQueue()
    queue.add("a")
    assert queue.take() == "a"
    queue.add("a")
    queue.add("b")
    assert queue.take() == "b"
    queue.done("a")
    assert queue.take() == "a"


def test_key_is_not_lost_when_it_is_added_while_its_work_ends() -> None:
    queue, handled = WorkQueue(), []

    def work() -> None:
        while (key := queue.take()) is not None:
            handled.append(key)
            queue.done(key)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for number in range(2000):
        queue.add(str(number % 50))
    while len(queue):
        time.sleep(0.01)
    queue.close()
    for worker in workers:
        worker.join()
    assert set(handled) == {str(number) for number in range(50)}


def test_failures_in_a_row_wait_longer_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, waits = WorkQueue(), []
    monkeypatch.setattr(queue, "add_later", lambda key, *, seconds: waits.append((key, seconds)))
    for _ in range(9):
        queue.retry("a")
    queue.forget("a")
    queue.retry("a")
    assert waits[:3] == [("a", 0.1), ("a", 0.2), ("a", 0.4)]
    assert waits[8] == ("a", module.LONGEST_RETRY)
    assert waits[9] == ("a", module.FIRST_RETRY)


def test_later_key_wakes_a_worker_that_waits() -> None:
    queue = WorkQueue()
    queue.add_later("b", seconds=30)
    queue.add_later("a", seconds=0.01)
    assert queue.take() == "a"


def test_closed_queue_sends_workers_home_and_takes_nothing_more() -> None:
    queue = WorkQueue()
    worker = threading.Thread(target=queue.take)
    worker.start()
    queue.close()
    worker.join(5)
    assert not worker.is_alive()
    queue.add("a")
    assert queue.take() is None
