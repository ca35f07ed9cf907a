"""Texts are read beside the frames: cached, bounded, newest first."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from engine.goals import Goals
from engine.guides.colours import Colours, colour_guide
from engine.guides.guide import Guide
from engine.parameters import Look
from engine.texts import KEPT, WAITING, Texts

CPU = torch.device("cpu")


class Listener:
    """A guide that notes what it read, and waits for leave before each text."""

    def __init__(self, is_held: bool = False) -> None:
        self.read: list[str] = []
        self.leave = threading.Semaphore(0 if is_held else 10**6)
        self.begun = threading.Event()

    def guide(self) -> Guide:
        plain = colour_guide(CPU)

        def reads(texts: list[str]) -> Tensor:
            self.begun.set()
            assert self.leave.acquire(timeout=20.0)
            self.read += texts
            return plain.tokenizer(texts)

        return replace(plain, tokenizer=reads, model=Colours())


def ready(texts: Texts, text: str) -> Tensor:
    wait_until(lambda: texts.find(text) is not None)
    return texts.find(text)


def test_a_text_is_there_soon_and_read_only_once():
    listener = Listener()
    texts = Texts(listener.guide())
    assert torch.allclose(ready(texts, "red"), colour_guide(CPU).embed_text(["red"])[0])
    ready(texts, "red")
    assert listener.read == ["red"]
    texts.close()


def test_the_newest_text_is_read_first():
    listener = Listener(is_held=True)
    texts = Texts(listener.guide())
    texts.find("red")
    assert listener.begun.wait(20.0)
    for text in ("green", "blue", "white"):
        texts.find(text)
    listener.leave.release(4)
    wait_until(lambda: len(listener.read) == 4)
    assert listener.read == ["red", "white", "blue", "green"]
    texts.close()


def test_a_flood_of_texts_is_dropped_from_its_old_end():
    listener = Listener(is_held=True)
    texts = Texts(listener.guide())
    texts.find("the first")
    assert listener.begun.wait(20.0)
    for n in range(200):
        assert texts.find(f"red {n}") is None
    listener.leave.release(1000)
    wait_until(lambda: len(listener.read) == WAITING + 1)
    assert listener.read == ["the first", *(f"red {n}" for n in range(199, 199 - WAITING, -1))]
    texts.close()


def test_the_cache_is_bounded_and_forgets_the_longest_unused():
    listener = Listener()
    texts = Texts(listener.guide(), waits=True)
    for n in range(KEPT):
        texts.find(f"red {n}")
    texts.find("red 0")
    texts.find("one more")
    texts.find("red 0")
    assert len(listener.read) == KEPT + 1
    texts.find("red 1")
    assert len(listener.read) == KEPT + 2


def test_waiting_gives_the_vector_at_once():
    assert Texts(colour_guide(CPU), waits=True).find("blue") is not None


def test_prompts_that_are_ready_count_and_the_others_follow():
    listener = Listener(is_held=True)
    goals = Goals([listener.guide()], waits=False)
    look = Look(line="red", next_line="blue", blend=0.5)
    assert goals.of(look) == [None]
    listener.leave.release(1)
    wait_until(lambda: goals.of(look)[0] is not None)
    assert goals.of(look)[0].weights.tolist() == [0.5]
    listener.leave.release(1)
    wait_until(lambda: len(goals.of(look)[0].vectors) == 2)
    assert goals.of(look)[0].weights.tolist() == [0.5, 0.5]
    goals.close()


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20.0
    while not holds():
        assert time.monotonic() < end, "it never came to hold"
        time.sleep(0.002)


def test_the_line_on_standby_is_read_before_its_turn():
    listener = Listener()
    goals = Goals([listener.guide()], waits=False)
    wait_until(lambda: goals.of(Look(line="red", next_line="blue", blend=0.0)) and len(listener.read) == 2)
    assert sorted(listener.read) == ["blue", "red"]
    goals.close()


def test_a_line_of_words_the_guide_never_learnt_is_named_while_it_is_sung():
    goals = Goals([replace(colour_guide(CPU, "shipped"), knows=lambda text: "red" in text)], waits=True)
    goals.of(Look(line="a red rose", next_line="zzz", blend=0.5))
    assert goals.faults() == ["the shipped guide knows no word of 'zzz'"]
    goals.of(Look(line="red"))
    assert goals.faults() == []
